using System.Diagnostics;
using System.Text;
using System.Text.Json;
using ImageCriShim.Images;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// The credentials that docker has on this machine: its <c>config.json</c> and the helpers that it names, asked as docker asks them
/// (docker/docker-credential-helpers).
/// </summary>
internal sealed class DockerConfigSource(string path, TimeProvider time) : CredentialSource
{
    private const int MaxBytes = 1024 * 1024; // a thousand registries are 200 KiB

    /// <summary>
    /// A helper costs a process, and a pull asks several times. What it gives lives for an hour at least (Google; Amazon's lives for twelve),
    /// but it does not say when it began.
    /// </summary>
    private static readonly TimeSpan s_credentialLife = TimeSpan.FromMinutes(5);

    /// <summary>Long enough for the questions of one pull, short enough for somebody who is mending it.</summary>
    private static readonly TimeSpan s_failureLife = TimeSpan.FromSeconds(10);

    private readonly HelperAnswers<CredentialAnswer> _answers = new(time);

    /// <summary>What an operator should know about the file before it is used; null if there is nothing to say.</summary>
    public static string? FindWarning(string path) => SmallFile.FindWarning(path)
        ?? (Read(path, out var problem) is null ? problem : null);

    public override ValueTask<CredentialAnswer> Find(Reference image, CancellationToken cancellation)
    {
        if (Read(path, out var problem) is not { } config)
            return ValueTask.FromResult(new CredentialAnswer(null, $"{this}", $"{this} {problem}"));
        if (config.FindHelper(image.Domain) is { } helper)
            return AskHelper(helper, ServerOf(image), cancellation);
        var credential = config.Find(image, out var wrong);
        return ValueTask.FromResult(new CredentialAnswer(credential, $"{this}", wrong is null ? null : $"{this}: {wrong}"));
    }

    public override bool IsSameAs(CredentialSource? other) => other is DockerConfigSource && $"{other}" == $"{this}";

    public override string ToString() => $"dockerConfig {path}";

    private static DockerConfig? Read(string path, out string problem) =>
        SmallFile.TryRead(path, MaxBytes, out problem) is { } content ? DockerConfig.TryParse(content, out problem) : null;

    /// <summary>What docker calls the registry when it speaks to a helper.</summary>
    private static string ServerOf(Reference image) =>
        image.IsAt(Reference.DockerHub) ? "https://index.docker.io/v1/" : image.Domain.ToLowerInvariant();

    private async ValueTask<CredentialAnswer> AskHelper(string helper, string server, CancellationToken cancellation)
    {
        var key = $"{helper} {server}";
        return _answers.TryFind(key, out var known) ? known : await _answers.Join(key, Ask, cancellation);

        async Task<CredentialAnswer> Ask()
        {
            if (_answers.TryFind(key, out var quicker))
                return quicker; // somebody else's question has just been answered
            var answer = await Run(helper, server);
            _answers.Keep(key, answer, answer.Credential is null ? s_failureLife : s_credentialLife);
            return answer;
        }
    }

    private async Task<CredentialAnswer> Run(string helper, string server)
    {
        var from = $"{this} (helper {helper})";
        var name = $"docker-credential-{helper}";
        if (helper.Contains('/'))
            return new CredentialAnswer(null, from, $"{this}: {helper} is not the name of a helper");
        if (HelperProgram.FindInPath(name) is not { } program)
            return new CredentialAnswer(null, from, $"{this}: {name} is not in PATH");
        var outcome = await HelperProgram.Run(new ProcessStartInfo(program, ["get"]), Encoding.UTF8.GetBytes(server), time);
        var credential = Understand(outcome, out var problem);
        return new CredentialAnswer(credential, from, problem is null ? null : $"{this}: {name} {problem}");
    }

    private static Credential Make(string user, string secret) =>
        user == "<token>" ? new Credential.IdentityToken(secret) : new Credential.Password(user, secret);

    private static Credential? Understand(HelperOutcome outcome, out string? problem)
    {
        const string NotFound = "credentials not found in native keychain"; // how every helper says that it has none
        problem = outcome.Problem;
        if (problem is not null)
            return null;
        if (outcome.ExitCode != 0)
        {
            var isNone = Encoding.UTF8.GetString(outcome.Output).Trim() == NotFound;
            problem = isNone ? null : $"failed with exit code {outcome.ExitCode}; run it by hand to see why";
            return null;
        }
        try
        {
            using var answer = JsonDocument.Parse(outcome.Output);
            if (answer.RootElement.Text("Secret") is { Length: > 0 } secret)
                return Make(answer.RootElement.Text("Username") ?? "", secret);
        }
        catch (JsonException)
        {
            // The same as JSON without a secret.
        }
        problem = "gave an answer that holds no secret; run it by hand to see it";
        return null;
    }
}
