using FsCheck;
using FsCheck.Fluent;
using ImageCriShim.Registries;

namespace ImageCriShim.Tests.Registries;

public sealed class RegistryAddressTests
{
    [Theory]
    [InlineData("sealos.hub:5000", "sealos.hub:5000", "", "https://sealos.hub:5000")]
    [InlineData("http://sealos.hub:5000", "sealos.hub:5000", "", "http://sealos.hub:5000")]
    [InlineData("http://sealos.hub", "sealos.hub", "", "http://sealos.hub")]
    [InlineData("https://sealos.hub:443/", "sealos.hub:443", "", "https://sealos.hub:443")]
    [InlineData("https://Harbor.Corp/dockerhub/", "harbor.corp", "dockerhub", "https://harbor.corp")]
    [InlineData("artifactory.corp/docker/remote", "artifactory.corp", "docker/remote", "https://artifactory.corp")]
    [InlineData("docker.io", "docker.io", "", "https://registry-1.docker.io")]
    [InlineData("https://index.docker.io/v1/", "docker.io", "", "https://registry-1.docker.io")]
    [InlineData("registry-1.docker.io", "docker.io", "", "https://registry-1.docker.io")]
    [InlineData("http://[::1]:5000", "[::1]:5000", "", "http://[::1]:5000")]
    [InlineData("localhost", "localhost", "", "https://localhost")]
    [InlineData("registry:5000", "registry:5000", "", "https://registry:5000")]
    public void An_address_gives_host_path_and_server_address(string text, string host, string path, string server)
    {
        RegistryAddress.TryParse(text, out var address, out _).ShouldBeTrue();

        address.Host.ShouldBe(host);
        address.Path.ShouldBe(path);
        address.ServerAddress.ShouldBe(server);
    }

    [Theory]
    [InlineData("registry")] // registry/x would be docker.io/registry/x
    [InlineData("http://registry/path")]
    [InlineData("unix:///run/registry.sock")]
    [InlineData("https://")]
    [InlineData("a b.corp")]
    [InlineData("registry.corp:port")]
    [InlineData("registry.corp:99999")]
    [InlineData("registry.corp/Upper")]
    [InlineData("registry.corp/a?b=c")]
    public void What_no_image_name_could_lead_to_is_refused(string text) => RegistryAddress.TryParse(text, out _, out _).ShouldBeFalse();

    [Fact]
    public void Two_that_are_written_alike_are_one()
    {
        RegistryAddress.TryParse("https://Harbor.Corp/team/", out var one, out _).ShouldBeTrue();
        RegistryAddress.TryParse("harbor.corp/team", out var other, out _).ShouldBeTrue();
        RegistryAddress.TryParse("http://harbor.corp/team", out var third, out _).ShouldBeTrue();
        one.Endpoint.Host.ShouldBe("harbor.corp"); // of the other one it is not known yet
        (one == other, one.GetHashCode() == other.GetHashCode(), one == third).ShouldBe((true, true, false));
    }

    [Fact]
    public void What_is_taken_for_an_address_can_be_asked()
    {
        var label = Gen.Elements("a", "9", "10", "256", "0x1", "x-", "-y", "z9", "xn--bcher-kva", new string('a', 63), new string('b', 64));
        var port = Gen.Elements("", ":", ":0", ":5000", ":65535", ":65536", ":+1", ":٣");
        var hosts = from labels in label.ListOf() from end in port select $"{string.Join('.', labels)}{end}";
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(5000), Prop.ForAll(hosts.ToArbitrary(), host =>
        {
            if (RegistryAddress.TryParse($"http://{host}", out var address, out _))
                address.Endpoint.IsAbsoluteUri.ShouldBeTrue(host);
        }));
    }

    [Fact]
    public void A_password_in_an_address_is_refused_and_not_repeated()
    {
        RegistryAddress.TryParse("https://admin:passw0rd@registry.corp", out _, out var problem).ShouldBeFalse();
        problem.ShouldBe("holds a user or password; put them into auth");
    }
}
