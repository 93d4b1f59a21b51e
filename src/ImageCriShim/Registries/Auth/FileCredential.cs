using System.Text;
using ImageCriShim.Images;

namespace ImageCriShim.Registries.Auth;

/// <summary>A secret in a file of its own, which may be replaced at any time.</summary>
/// <param name="key">The key of the config file that names it, such as <c>passwordFile</c>.</param>
/// <param name="path">Absolute.</param>
/// <param name="make">From the secret to the credential.</param>
internal sealed class FileCredential(string key, string path, Func<string, Credential> make) : CredentialSource
{
    private const int MaxBytes = 64 * 1024; // the longest tokens are a few KiB

    /// <summary>A password may be a file of many lines, as a key of a Google service account is; a token is a word.</summary>
    private readonly bool _mayHaveLines = make("") is Credential.Password;

    public override ValueTask<CredentialAnswer> Find(Reference image, CancellationToken cancellation)
    {
        if (SmallFile.TryRead(path, MaxBytes, out var problem) is not { } content)
            return Problem(problem);
        var secret = WithoutNewline(Encoding.UTF8.GetString(content));
        if (secret.Length == 0)
            return Problem("is empty");
        if (secret.Any(IsForeign))
            return Problem(_mayHaveLines ? "holds control characters; it must hold the password alone" : "holds more than a line; it must hold the token alone");
        return ValueTask.FromResult(new CredentialAnswer(make(secret), $"{key} {path}"));
    }

    // Which file, which kind, and the user's name.
    public override bool IsSameAs(CredentialSource? other) => other is FileCredential && $"{other}" == $"{this}";

    public override string ToString() => $"{make("")} ({key} {path})";

    private ValueTask<CredentialAnswer> Problem(string what) =>
        ValueTask.FromResult(new CredentialAnswer(null, $"{key} {path}", $"{key} {path} {what}"));

    /// <summary>The text without the newline that editors, <c>echo</c> and block scalars of YAML leave at its end.</summary>
    public static string WithoutNewline(string text) =>
        text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;

    private bool IsForeign(char c) => char.IsControl(c) && !(_mayHaveLines && c is ('\t' or '\r' or '\n'));
}
