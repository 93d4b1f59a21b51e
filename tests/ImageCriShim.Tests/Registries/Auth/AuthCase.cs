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

    /// <summary>For a program that first waits until the test has written <c>go</c>.</summary>
    public string WaitForGo => $"while [ ! -e {Files.File("go")} ]; do sleep 0.01; done; ";

    /// <summary>A program that writes a line to <c>runs</c> each time that it runs.</summary>
    public string Counting(string body) => $"echo run >> {Files.File("runs")}; {body}";

    /// <summary>How many lines that is: programs write one each time they run.</summary>
    public int Count(string name) => Read(name).Count(c => c == '\n');

    /// <summary>Waits until a program has written there.</summary>
    public async Task<string> WaitFor(string name)
    {
        await Wait.Until(() => Count(name) > 0, $"a program writes to {name}");
        return Read(name);
    }

    public void Dispose() => Files.Dispose();
}
