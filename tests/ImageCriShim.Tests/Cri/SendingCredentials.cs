using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Cri;

/// <summary>With whose credential the runtime is told to pull, and what the record says of it.</summary>
public sealed class SendingCredentials : PullTest
{
    public SendingCredentials() => Prepare();

    [Theory]
    [InlineData(null, "first.local/team/app:1.0 as admin:own for http://first.local", PulledWith.NodesOwn)]
    [InlineData("secret", "first.local/team/app:1.0 as admin:own for http://first.local", PulledWith.NodesOwn)]
    public async Task A_rewritten_pull_carries_the_registrys_own(string? secret, string pull, object with)
    {
        Has(First);
        await Start([At(First.Address, "admin:own")]);
        await ShouldPull(secret, pull, with);
    }

    [Theory]
    [InlineData(null, "first.local/team/app:1.0", PulledWith.Nothing)]
    [InlineData("secret", "first.local/team/app:1.0", PulledWith.Nothing)]
    public async Task Or_none(string? secret, string pull, object with)
    {
        Has(First);
        await Start([At(First.Address)]);
        await ShouldPull(secret, pull, with);
    }

    [Theory]
    [InlineData(null, "first.local/team/app:1.0 as admin:own for http://first.local", PulledWith.NodesOwn)]
    [InlineData("secret", "first.local/team/app:1.0 as pod:secret for http://first.local", PulledWith.Callers)]
    public async Task With_forwardPullSecrets_the_callers_goes_first(string? secret, string pull, object with)
    {
        Has(First);
        await Start([At(First.Address, "admin:own") with { ForwardPullSecrets = true }]);
        await ShouldPull(secret, pull, with);
    }

    [Fact]
    public async Task A_registry_that_denies_us_may_well_take_a_forwarded_secret()
    {
        First.Account = ("pod", "secret");
        await Start([At(First.Address) with { ForwardPullSecrets = true }, At(Second.Address)]);
        Second.Add("team/app", "1.0");
        CanPull(Image(First.Host));

        await PullRef(Image(), "secret");

        Pulls.ShouldBe(["first.local/team/app:1.0 as pod:secret for http://first.local"]);
    }

    [Fact]
    public async Task But_not_without_one()
    {
        First.Account = ("pod", "secret");
        Has(Second);
        await Start([At(First.Address) with { ForwardPullSecrets = true }, At(Second.Address)]);
        await ShouldPull(null, "second.local/team/app:1.0", PulledWith.Nothing);
    }

    [Fact]
    public async Task A_secret_that_is_refused_is_not_replaced_by_the_registrys_own()
    {
        // kubelet calls once for each secret until one works, and remembers which.
        Expect("pull of ");
        Expect("not pulled ");
        First.Add("team/app", "1.0");
        Runtime.Images.FailPulls[Image(First.Host)] = (2, "401 Unauthorized");
        await Start([At(First.Address, "admin:own") with { ForwardPullSecrets = true }]);

        (await Pull(Image(), "wrong")).Status.ShouldBe(2);

        Pulls.ShouldBe(["first.local/team/app:1.0 as pod:wrong for http://first.local", "origin.local/team/app:1.0 as pod:wrong for https://origin.local"]);
        Runtime.Images.FailPulls.Clear();
        CanPull(Image(First.Host));
        await PullRef(Image(), "right");
        Pulls[^1].ShouldBe("first.local/team/app:1.0 as pod:right for http://first.local");
    }

    [Fact]
    public async Task A_secret_that_is_refused_as_given_is_told_and_the_next_one_is_tried()
    {
        Expect("pull of ");
        Expect("not pulled ");
        await Start();
        Runtime.Images.FailPulls[Image()] = (2, "401 Unauthorized");
        (await Pull(Image(), "wrong")).Message.ShouldContain("401 Unauthorized");
        Runtime.Images.FailPulls.Clear();
        CanPull(Image());

        await PullRef(Image(), "right");

        Pulls[^1].ShouldBe("origin.local/team/app:1.0 as pod:right for https://origin.local");
        Record.Find(Image())!.With.ShouldBe(PulledWith.Callers);
    }

    [Theory]
    [InlineData(null, "first.local/team/app:1.0 as admin:own for http://first.local", PulledWith.NodesOwn)]
    [InlineData("secret", "first.local/team/app:1.0 as pod:secret for http://first.local", PulledWith.Callers)]
    public async Task The_host_that_the_caller_named_gets_the_callers(string? secret, string pull, object with)
    {
        First.Add("team/app", "1.0");
        CanPull(Image(First.Host));
        await Start([At(First.Address, "admin:own")]);
        await PullRef(Image(First.Host), secret);
        Pulls.ShouldBe([pull]);
        Record.Find(Image(First.Host))!.With.ShouldBe((PulledWith)with);
    }

    [Fact]
    public async Task Even_where_it_denies_us_and_nothing_else_may_be_asked()
    {
        First.Account = ("pod", "secret");
        CanPull(Image(First.Host));
        await Start([At(First.Address, "admin:own")], settings => settings with { OfflineOnly = true });
        await PullRef(Image(First.Host), "secret");
        Pulls.ShouldBe(["first.local/team/app:1.0 as pod:secret for http://first.local"]);
    }

    private void Has(FakeRegistry registry)
    {
        registry.Add("team/app", "1.0");
        CanPull(Image(registry.Host));
    }

    private async Task ShouldPull(string? secret, string pull, object with)
    {
        await PullRef(Image(), secret);
        Pulls.ShouldBe([pull]);
        Record.Find(Image())!.With.ShouldBe((PulledWith)with);
    }
}
