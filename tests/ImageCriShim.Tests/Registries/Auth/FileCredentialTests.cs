using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Registries.Auth;

public sealed class FileCredentialTests : IDisposable
{
    private readonly AuthCase test = new();

    public void Dispose() => test.Dispose();

    [Theory]
    [InlineData("secret", "secret")]
    [InlineData("secret\n", "secret")]
    [InlineData("secret\r\n", "secret")]
    [InlineData(" se:cret ", " se:cret ")]
    [InlineData("pässwörd\n", "pässwörd")]
    [InlineData("{\n\t\"type\": \"service_account\",\r\n\t\"private_key\": \"-----BEGIN\\n\"\n}\n", "{\n\t\"type\": \"service_account\",\r\n\t\"private_key\": \"-----BEGIN\\n\"\n}")]
    [InlineData("two\n\n", "two\n")]
    [InlineData("\nfirst", "\nfirst")]
    public async Task The_secret_is_the_file_without_its_last_newline(string content, string secret) =>
        (await AuthCase.Find(PasswordFile(test.Write("password", content)), "sealos.hub:5000/app")).ShouldBe($"robot:{secret}");

    [Fact]
    public async Task A_file_that_changes_is_read_again()
    {
        var source = PasswordFile(test.Write("password", "before"));
        var written = File.GetLastWriteTimeUtc(test.Files.File("password"));
        (await AuthCase.Find(source, "sealos.hub:5000/app")).ShouldBe("robot:before");

        test.Write("password", "behind"); // as long
        File.SetLastWriteTimeUtc(test.Files.File("password"), written); // and as old

        (await AuthCase.Find(source, "sealos.hub:5000/app")).ShouldBe("robot:behind");
    }

    [Fact]
    public async Task A_mounted_Secret_changes_by_a_symlink_beside_it()
    {
        foreach (var version in new[] { "one", "two" })
        {
            Directory.CreateDirectory(test.Files.File($"..{version}"));
            test.Write($"..{version}/password", version);
        }
        File.CreateSymbolicLink(test.Files.File("..data"), "..one");
        File.CreateSymbolicLink(test.Files.File("password"), "..data/password");
        var source = PasswordFile(test.Files.File("password"));
        (await AuthCase.Find(source, "sealos.hub:5000/app")).ShouldBe("robot:one");

        File.CreateSymbolicLink(test.Files.File("..new"), "..two");
        await Programs.Run("mv", "-T", test.Files.File("..new"), test.Files.File("..data"));

        (await AuthCase.Find(source, "sealos.hub:5000/app")).ShouldBe("robot:two");
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_a_problem_until_it_is()
    {
        var path = test.Files.File("password");
        var source = PasswordFile(path);

        (await AuthCase.Ask(source, "sealos.hub:5000/app")).ShouldBe(new CredentialAnswer(null, $"passwordFile {path}", $"passwordFile {path} is not there"));

        test.Write("password", "secret");
        (await AuthCase.Ask(source, "sealos.hub:5000/app"))
            .ShouldBe(new CredentialAnswer(new Credential.Password("robot", "secret"), $"passwordFile {path}"));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("\n", "is empty")]
    [InlineData("planted\0", "holds control characters; it must hold the password alone")]
    [InlineData("planted\u001b[2J", "holds control characters; it must hold the password alone")]
    public async Task What_cannot_be_a_secret_is_a_problem(string content, string problem)
    {
        var path = test.Write("password", content);

        var answer = await AuthCase.Ask(PasswordFile(path), "sealos.hub:5000/app");

        answer.Credential.ShouldBeNull();
        answer.Problem.ShouldBe($"passwordFile {path} {problem}");
    }

    [Fact]
    public async Task A_large_file_is_not_read()
    {
        var path = test.Write("password", new string('x', 64 * 1024 + 1));

        (await AuthCase.Ask(PasswordFile(path), "sealos.hub:5000/app")).Problem.ShouldBe($"passwordFile {path} is larger than 64 KiB; is it the right file?");
        test.Write("password", new string('x', 64 * 1024));
        (await AuthCase.Ask(PasswordFile(path), "sealos.hub:5000/app")).Problem.ShouldBeNull();
    }

    [Fact]
    public async Task A_directory_is_a_problem() =>
        (await AuthCase.Ask(PasswordFile(test.Files.Path), "sealos.hub:5000/app")).Problem
            .ShouldBe($"passwordFile {test.Files.Path} is a directory; name a file");

    [Fact]
    public async Task Tokens_come_from_files_too()
    {
        var path = test.Write("token", "planted-token\n");

        (await AuthCase.Find(new FileCredential("identityTokenFile", path, t => new Credential.IdentityToken(t)), "a.example.com/b")).ShouldBe("identity planted-token");
        (await AuthCase.Find(new FileCredential("registryTokenFile", path, t => new Credential.RegistryToken(t)), "a.example.com/b")).ShouldBe("registry planted-token");
    }

    [Theory]
    [InlineData("planted\nplanted\n")]
    [InlineData("planted\tplanted")]
    [InlineData("planted\r")]
    public async Task A_token_is_one_word(string content)
    {
        var path = test.Write("token", content);

        (await AuthCase.Ask(new FileCredential("registryTokenFile", path, t => new Credential.RegistryToken(t)), "a.example.com/b")).Problem
            .ShouldBe($"registryTokenFile {path} holds more than a line; it must hold the token alone");
    }

    [Fact]
    public void The_text_form_names_the_file_and_the_user_only()
    {
        var path = test.Write("password", "planted-secret");

        PasswordFile(path).ToString().ShouldBe($"robot:*** (passwordFile {path})");
        new FileCredential("registryTokenFile", path, t => new Credential.RegistryToken(t)).ToString().ShouldBe($"registry token *** (registryTokenFile {path})");
    }

    private static FileCredential PasswordFile(string path) => new("passwordFile", path, secret => new Credential.Password("robot", secret));
}
