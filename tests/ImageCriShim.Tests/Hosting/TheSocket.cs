using System.Net.Sockets;
using System.Runtime.InteropServices;
using ImageCriShim.Hosting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Hosting;

/// <summary>Our socket file: whose it is, when it may be replaced, when it goes.</summary>
[Trait("suite", "endtoend")]
public sealed partial class TheSocket : DaemonTest
{
    private const int SigKill = 9;
    private const int SigTerm = 15;

    [Fact]
    public async Task Left_behind_by_a_killed_shim_is_replaced()
    {
        StartRuntime();
        var killed = await StartShim();
        await killed.StopAsync(SigKill);
        File.Exists(ShimSocketPath).ShouldBeTrue();
        var shim = await StartShim();
        (await Call()).Status.ShouldBe(0);
        shim.ShouldNotHaveComplained();
    }

    [Fact]
    public async Task Of_a_living_shim_is_left_alone()
    {
        StartRuntime();
        await StartShim();
        var (code, output) = await FailToStart();
        code.ShouldBe(1);
        output.ShouldContain($"another process is already serving {ShimSocketPath}; is image-cri-shim running?");
        (await Call()).Status.ShouldBe(0);
    }

    [Fact]
    public async Task Is_not_made_where_a_regular_file_lies()
    {
        StartRuntime();
        await File.WriteAllTextAsync(ShimSocketPath, "precious", TestContext.Current.CancellationToken);
        var (code, output) = await FailToStart();
        code.ShouldBe(1);
        output.ShouldContain($"{ShimSocketPath} exists and is not a socket; remove it or name another path");
        (await File.ReadAllTextAsync(ShimSocketPath, TestContext.Current.CancellationToken)).ShouldBe("precious");
    }

    [Fact]
    public async Task With_too_long_a_path_is_refused_with_a_reason()
    {
        StartRuntime();
        var path = Directory.File(new string('x', 120));
        var config = Directory.File("long.yaml");
        var yaml = $"shim: {path}\ncri: {RuntimeSocketPath}\naddress: http://127.0.0.1:1\n";
        await File.WriteAllTextAsync(config, yaml, TestContext.Current.CancellationToken);
        var (code, output) = await Run("-f", config);
        code.ShouldBeInRange(1, 2);
        output.ShouldContain("shim (long.yaml:1)");
        output.ShouldNotContain("   at "); // no stack trace
    }

    [Fact]
    public async Task Has_the_owner_and_the_mode_of_the_runtimes()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can give a file away");
        StartRuntime();
        Chown(RuntimeSocketPath, 1234, 2345).ShouldBe(0);
        File.SetUnixFileMode(RuntimeSocketPath, (UnixFileMode)0b110_110_000);
        await StartShim();
        var copy = FileIdentity.Find(ShimSocketPath)!;
        (copy.User, copy.Group, copy.Mode).ShouldBe((1234u, 2345u, (UnixFileMode)0b110_110_000));
    }

    [Fact]
    public async Task Is_for_root_alone_where_the_runtimes_is_not_there()
    {
        await StartShim("force: true\n");
        var made = FileIdentity.Find(ShimSocketPath)!;
        made.Mode.ShouldBe((UnixFileMode)0b110_000_000);
    }

    [Fact]
    public async Task Takes_the_owner_and_the_mode_of_a_runtime_that_comes_later_and_comes_again()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can give a file away");
        var shim = await StartShim("force: true\n");
        (uint User, uint Group, UnixFileMode Mode)[] runtimes = [(1234, 2345, (UnixFileMode)0b110_110_000), (0, 7, (UnixFileMode)0b110_110_110)];
        foreach (var (user, group, mode) in runtimes)
        {
            await using var runtime = FakeRuntime.Start(RuntimeSocketPath);
            Chown(RuntimeSocketPath, user, group).ShouldBe(0);
            File.SetUnixFileMode(RuntimeSocketPath, mode);
            (await Call()).Status.ShouldBe(0);
            var copy = FileIdentity.Find(ShimSocketPath)!;
            (copy.User, copy.Group, copy.Mode).ShouldBe((user, group, mode));
        }

        await Wait.Until(() => shim.Output.Split(" has the owner and the mode of ").Length == 3, "it is said once for each");
    }

    [Fact]
    public async Task Follows_the_runtimes_although_nobody_who_may_call_does()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can give a file away");
        await StartShim("force: true\n");
        StartRuntime();
        File.SetUnixFileMode(RuntimeSocketPath, (UnixFileMode)0b110_110_000);
        Chown(RuntimeSocketPath, 0, 2345).ShouldBe(0);
        await Wait.Until(() => FileIdentity.Find(ShimSocketPath) is { Group: 2345, Mode: (UnixFileMode)0b110_110_000 }, "it is followed");
    }

    // SIGINT is dealt with alike, but whoever runs in the background of a shell, as tests may, inherits that it is ignored.
    [Fact]
    public async Task Goes_when_the_shim_is_asked_to_end_and_it_ends_with_0()
    {
        StartRuntime();
        var shim = await StartShim();
        (await Call()).Status.ShouldBe(0);
        (await shim.StopAsync(SigTerm)).ShouldBe(0);
        File.Exists(ShimSocketPath).ShouldBeFalse();
        System.IO.Directory.GetFiles(Directory.Path, "*.sock").ShouldBe([RuntimeSocketPath]);
        shim.Output.ShouldContain("stopped");
    }

    [Fact]
    public async Task That_is_anothers_by_now_stays()
    {
        StartRuntime();
        var shim = await StartShim();
        File.Delete(ShimSocketPath);
        using var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        other.Bind(new UnixDomainSocketEndPoint(ShimSocketPath));
        other.Listen();
        (await shim.StopAsync()).ShouldBe(0);
        File.Exists(ShimSocketPath).ShouldBeTrue();
    }

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Chown(string path, uint user, uint group);
}
