using System.Text;
using ImageCriShim.Configuration;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;
using ImageCriShim.Tests.Rewriting;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>
/// A registry may answer with what it was sent, a runtime tells all of that on, and kubelet writes it into events that a whole namespace reads.
/// </summary>
public sealed class RuntimesThatRepeatSecrets : PullTest
{
    private const string Details = "grpc-status-details-bin";
    private const string Signed = "https://store.corp/blob?X-Amz-Signature=0a1b2c3d4e5f&X-Amz-Credential=AKIA";

    public RuntimesThatRepeatSecrets()
    {
        Prepare();
        Expect("pull of ");
        Expect("not pulled ");
    }

    /// <summary>The registry's own, by its name there.</summary>
    [Fact]
    public async Task That_of_the_node()
    {
        First.Add("team/app", "1.0");
        RepeatEverything();
        await Start([At(First.Address, $"admin:{Secrets.OfPrivate}")]);
        await ShouldTellNothing(Image(), null);
        Pulls[0].ShouldContain(Secrets.OfPrivate);
    }

    [Fact]
    public async Task That_of_a_pod()
    {
        RepeatEverything();
        await Start();
        await ShouldTellNothing(Image(), Secrets.OfPod);
    }

    /// <summary>Nobody is asked, and the runtime's own error is the answer.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(Secrets.OfPod)]
    public async Task As_given_alone(string? secret)
    {
        RepeatEverything();
        await Start(
            [At(First.Address, $"admin:{Secrets.OfPrivate}")], settings => settings with { Exclude = [ResolveCase.Pattern($"{First.Host}/team")] });
        var answer = await ShouldTellNothing(Image(First.Host), secret);
        answer.Message.ShouldStartWith("401 Unauthorized: ***");
        Pulls.ShouldHaveSingleItem().ShouldContain(secret ?? Secrets.OfPrivate);
    }

    [Fact]
    public async Task In_the_forms_of_containerds_own_protocol()
    {
        RepeatEverything();
        await Start();
        byte[] auth = [.. Field(3, Convert.ToBase64String(Encoding.UTF8.GetBytes($"pod:{Secrets.OfAnother}"))), .. Field(5, Secrets.OfTokens), .. Field(6, Secrets.OfTls)];
        var answer = await Caller.CallAsync(ImageService + "PullImage", Message(Field(1, Field(1, Image())), Field(2, auth)));
        ShouldHoldNothing(answer);
    }

    [Fact]
    public async Task A_detail_without_a_secret_stays_beside_one_that_is_left_out()
    {
        byte[] harmless = Message(Field(1, "type.googleapis.com/a.Detail"), Field(2, "the disk is full"));
        Runtime.On(ImageService + "PullImage", async call =>
        {
            await call.ReadRequestAsync();
            var details = Message(
                Field(1, 8ul), Field(2, $"no room for {call.Auth!.Password}"), Field(3, harmless),
                Field(3, Message(Field(1, "type.googleapis.com/b.Detail"), Field(2, [0, 255, .. Encoding.UTF8.GetBytes($"pw={call.Auth.Password}"), 1]))));
            call.Fail(8, "the disk is full", (Details, Convert.ToBase64String(details)));
        });
        await Start(adjust: OnlyAsGiven);

        var answer = await Pull(Image(), Secrets.OfPod);

        answer.Message.ShouldBe("the disk is full");
        var fields = Read(Convert.FromBase64String(Pad(answer.Trailers.Single(field => field.Name == Details).Value)));
        fields.Single(field => field.Number == 2).Text.ShouldBe("the disk is full");
        fields.Where(field => field.Number == 3).Select(field => field.Bytes).ShouldBe([harmless]);
        ShouldHoldNothing(answer);
    }

    [Fact]
    public async Task Metadata_that_holds_one_is_left_out_and_all_other_goes_on()
    {
        Runtime.On(ImageService + "PullImage", async call =>
        {
            await call.ReadRequestAsync();
            call.Fail(
                8, "the disk is full", ("x-request", "17"), ("x-echo", $"pod:{call.Auth!.Password}"),
                ("x-echo-bin", Convert.ToBase64String(Encoding.UTF8.GetBytes(call.Auth.Password))), ("x-other-bin", "AAEC"));
        });
        await Start(adjust: OnlyAsGiven);

        var answer = await Pull(Image(), Secrets.OfPod);

        answer.Message.ShouldBe("the disk is full");
        answer.Trailers.Select(field => field.Name).Where(name => name.StartsWith("x-", StringComparison.Ordinal)).ShouldBe(["x-request", "x-other-bin"]);
    }

    [Fact]
    public async Task The_name_of_the_image_is_none_whatever_it_looks_like()
    {
        var image = Image(tail: ":V1.20-RC3-Build20260115x");
        Runtime.Images.FailPulls[image] = (2, $"failed to copy https://{OriginDown}/v2/team/app/manifests/V1.20-RC3-Build20260115x: broken");
        await Start(adjust: OnlyAsGiven);
        (await Pull(image)).Message.ShouldBe($"failed to copy https://{OriginDown}/v2/team/app/manifests/V1.20-RC3-Build20260115x: broken");
    }

    [Fact]
    public async Task A_look_up_that_fails_tells_no_signed_address_either()
    {
        First.Add("team/app", "1.0");
        Runtime.On(ImageService + "ImageStatus", async call =>
        {
            await call.ReadRequestAsync();
            if (call.Image == Image())
                await call.AnswerAsync([]);
            else
                call.Fail(14, $"cannot reach {Signed}\e[2J\nfaked line");
        });
        await Start();
        var answer = await Caller.CallAsync(ImageService + "ImageStatus", Field(1, Field(1, Image())));
        answer.Message.ShouldBe("cannot reach https://store.corp/blob [2J faked line");
    }

    /// <summary>In the runtime's words, its details and metadata, and in a registry's own.</summary>
    [Fact]
    public async Task Who_guesses_a_password_in_a_name_is_told_the_same_as_for_any_other_name()
    {
        const string right = "Harbor12345", wrong = "Harbor54321";
        First.Behave = request => new FakeAnswer(request.Method == "HEAD" ? 405 : 403)
        {
            Body = Encoding.UTF8.GetBytes($$"""{"errors":[{"code":"DENIED","message":"no access to {{request.Path.Split('/')[^1]}} of p/x"}]}"""),
        };
        Runtime.On(ImageService + "PullImage", async call =>
        {
            await call.ReadRequestAsync();
            var tag = call.Image[(call.Image.LastIndexOf(':') + 1)..];
            var message = $"failed to resolve reference \"{call.Image}\": HEAD request to {First.Address}/v2/p/x/manifests/{tag}: 403 Forbidden";
            call.Fail(2, message, (Details, Convert.ToBase64String(Message(Field(1, 2ul), Field(2, message)))), ("x-name", call.Image));
        });
        await Start([At(First.Address, $"robot:{right}")]);

        async Task<string> Guess(string host, string tag)
        {
            var answer = await Pull($"{host}/p/x:{tag}");
            answer.Message.ShouldContain($"manifests/{tag}: 403 Forbidden");
            if (host == OriginDown)
                answer.Message.ShouldContain($"no access to {tag} of p/x");
            return string.Join('\n', answer.Trailers).Replace(Encode(answer, Details), "").Replace(tag, "GUESS");
        }

        foreach (var host in (string[])[First.Host, OriginDown])
            (await Guess(host, right)).ShouldBe(await Guess(host, wrong));
        string.Join('\n', Log.Lines).ShouldNotContain("***");
    }

    private ShimSettings OnlyAsGiven(ShimSettings settings) => settings with { Exclude = [ResolveCase.Pattern($"{OriginDown}/team")] };

    /// <summary>In its message, in its details twice, and in metadata.</summary>
    private void RepeatEverything() => Runtime.On(ImageService + "PullImage", async call =>
    {
        await call.ReadRequestAsync();
        var auth = call.Auth;
        var (user, password) = (auth?.Username ?? "", auth?.Password ?? "");
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
        string[] all = [basic, password, auth?.Auth ?? "", auth?.IdentityToken ?? "", auth?.RegistryToken ?? ""];
        var forms = all.Where(text => text.Length > 0)
            .SelectMany(text => new[] { text, Uri.EscapeDataString(text), Convert.ToBase64String(Encoding.UTF8.GetBytes(text)) });
        var message = $"401 Unauthorized: {string.Join(", ", forms)} at {Signed}\e[31m";
        var details = Message(Field(1, 16ul), Field(2, message), Field(3, Message(Field(1, "a/b.C"), Field(2, message))));
        call.Fail(16, message, (Details, Convert.ToBase64String(details)), ("x-echo", basic));
    });

    private async Task<RawAnswer> ShouldTellNothing(string image, string? secret)
    {
        var answer = await Pull(image, secret);
        answer.Status.ShouldBe(16);
        answer.Trailers.ShouldContain(field => field.Name == Details); // or nothing is tried
        ShouldHoldNothing(answer);
        return answer;
    }

    private void ShouldHoldNothing(RawAnswer answer)
    {
        var details = answer.Trailers.Where(field => field.Name.EndsWith("-bin", StringComparison.Ordinal))
            .Select(field => Encoding.UTF8.GetString(Convert.FromBase64String(Pad(field.Value))));
        var told = string.Join('\n', [answer.Message, .. answer.Trailers.Select(field => $"{field.Name}: {field.Value}"), .. details, .. Log.Lines]);
        Secrets.ShouldNotBeIn(told);
        told.ShouldNotContain("X-Amz");
        told.ShouldNotContain("0a1b2c3d4e5f");
        answer.Message.ShouldNotContain("\e");
    }

    private static string Encode(RawAnswer answer, string name) => answer.Trailers.Single(field => field.Name == name).Value;

    private static string Pad(string value) => value.PadRight((value.Length + 3) / 4 * 4, '=');
}
