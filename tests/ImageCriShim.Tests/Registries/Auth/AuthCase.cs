using ImageCriShim.Images;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

/// <summary>A directory with the files and programs of one test, and a clock.</summary>
internal sealed class AuthCase : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public TempDirectory Files { get; } = new();

    public FakeTime Time { get; } = new();

    public static Reference Image(string image)
    {
        Reference.TryParse(image, out var reference).ShouldBeTrue();
        return reference;
    }

    public static Task<CredentialAnswer> Ask(CredentialSource source, string image) =>
        source.Find(Image(image), TestContext.Current.CancellationToken).AsTask();

    /// <summary>The whole of it, secret too: <c>user:secret</c>, <c>identity secret</c>, <c>none</c>.</summary>
    public static async Task<string> Find(CredentialSource source, string image) => (await Ask(source, image)).Credential switch
    {
        Credential.Password password => $"{password.Username}:{password.Secret}",
        Credential.IdentityToken token => $"identity {token.Secret}",
        Credential.RegistryToken token => $"registry {token.Secret}",
        _ => "none",
    };

    public string Write(string name, string text)
    {
        File.WriteAllText(Files.File(name), text);
        return Files.File(name);
    }

    /// <summary>What a program of the test has written there; empty where it has not.</summary>
    public string Read(string name) => File.Exists(Files.File(name)) ? File.ReadAllText(Files.File(name)) : "";

    /// <summary>How many lines that is: programs write one each time they run.</summary>
    public int Count(string name) => Read(name).Count(c => c == '\n');

    /// <summary>Waits until a program has written there.</summary>
    public async Task<string> WaitFor(string name)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (Count(name) == 0)
            await Task.Delay(5, limit.Token); // a file tells nobody when it is there
        return Read(name);
    }

    public void Dispose() => Files.Dispose();
}
