using ImageCriShim.Cri;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

public sealed class AuthConfigTests
{
    // AuthConfig of Kubernetes' api.proto
    private const int Username = 1;
    private const int Password = 2;
    private const int Auth = 3;
    private const int ServerAddress = 4;
    private const int IdentityToken = 5;
    private const int RegistryToken = 6;

    private static readonly byte[] Image = Field(1, Field(1, "quay.io/a"));
    private static readonly byte[] Sandbox = Field(3, "sandbox");
    private static readonly byte[] OfPod = Field(2, Message(
        Field(Username, "pod"), Field(Password, "planted"), Field(Auth, "cGxhbnRlZA=="), Field(ServerAddress, "elsewhere"), Field(IdentityToken, "planted"), Field(99, "new")));

    public static TheoryData<string, string> Forms => new()
    {
        { "password", "1:robot 2:s:ecret" },
        { "identity", "5:token" }, // with a username containerd would look no further
        { "registry", "6:token" },
    };

    [Theory, MemberData(nameof(Forms))]
    public void A_credential_replaces_the_callers_with_all_of_its_fields(string form, string fields)
    {
        Credential credential = form switch
        {
            "password" => new Credential.Password("robot", "s:ecret"),
            "identity" => new Credential.IdentityToken("token"),
            _ => new Credential.RegistryToken("token"),
        };

        var request = AuthConfig.Replace(Message(Image, OfPod, Sandbox), credential, "https://quay.io");

        Fields(request).ShouldBe($"{fields} 4:https://quay.io");
        FindText(request, 1, 1).ShouldBe("quay.io/a");
        FindText(request, 3).ShouldBe("sandbox");
    }

    [Fact]
    public void Without_a_credential_the_callers_goes_nowhere()
    {
        var request = AuthConfig.Replace(Message(Image, OfPod, Sandbox), null, "https://quay.io");

        Find(request, 2).ShouldBeNull();
        AuthConfig.IsIn(request).ShouldBeFalse();
    }

    [Fact]
    public void The_callers_own_is_only_readdressed()
    {
        var request = AuthConfig.Readdress(Message(Image, OfPod), "https://quay.io");

        Fields(request).ShouldBe("1:pod 2:planted 3:cGxhbnRlZA== 4:https://quay.io 5:planted 99:new");
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("quay.io", true)]
    [InlineData("https://quay.io", true)]
    [InlineData("https://QUAY.io:443/v1/", true)]
    [InlineData("quay.io:5000", false)]
    [InlineData("https://index.docker.io/v1/", false)]
    [InlineData("quay.io.evil.test", false)]
    public void A_callers_credential_is_for_the_host_that_it_says(string address, bool isForQuay) =>
        AuthConfig.IsFor(Message(Image, Field(2, Field(ServerAddress, address))), "https://quay.io").ShouldBe(isForQuay);

    [Theory]
    [InlineData("https://index.docker.io/v1/")]
    [InlineData("docker.io")]
    [InlineData("registry-1.docker.io")]
    [InlineData("https://Registry-1.docker.io:443")]
    public void Docker_Hubs_names_are_one_host(string address) =>
        AuthConfig.IsFor(Message(Image, Field(2, Field(ServerAddress, address))), "https://registry-1.docker.io").ShouldBeTrue();

    [Theory]
    [InlineData(Username, true)]
    [InlineData(Password, true)]
    [InlineData(Auth, true)]
    [InlineData(IdentityToken, true)]
    [InlineData(RegistryToken, true)]
    [InlineData(ServerAddress, false)]
    public void A_caller_has_sent_a_secret_if_there_is_text_in_one_of_its_fields(int field, bool isSecret)
    {
        AuthConfig.IsIn(Message(Image, Field(2, Field(field, "text")))).ShouldBe(isSecret);
        AuthConfig.IsIn(Message(Image, Field(2, Field(field, "")))).ShouldBeFalse();
        AuthConfig.IsIn(Image).ShouldBeFalse();
    }

    // containerd: url.Parse(server_address).Host must be the host that it asks (ParseAuth in internal/cri/server/images); empty fits too.
    [Theory]
    [InlineData("docker.io", "https://registry-1.docker.io")]
    [InlineData("https://index.docker.io/v1/", "https://registry-1.docker.io")]
    [InlineData("sealos.hub:5000", "https://sealos.hub:5000")]
    [InlineData("http://sealos.hub:5000/dockerhub", "http://sealos.hub:5000")]
    [InlineData("https://harbor.corp:443", "https://harbor.corp:443")]
    [InlineData("[2001:db8::1]:5000", "https://[2001:db8::1]:5000")]
    public void The_server_address_is_a_url_of_the_host_that_is_asked(string address, string server)
    {
        RegistryAddress.TryParse(address, out var parsed, out _).ShouldBeTrue();

        parsed.ServerAddress.ShouldBe(server);
    }

    private static string Fields(byte[] request) => string.Join(' ', Read(Find(request, 2)!).Select(field => $"{field.Number}:{field.Text}"));
}
