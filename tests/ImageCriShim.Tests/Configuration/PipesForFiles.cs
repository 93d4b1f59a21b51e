using ImageCriShim.Configuration;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Configuration;

/// <summary>A pipe to which nobody writes stands where a file is due: to open it would wait for ever.</summary>
public sealed class PipesForFiles : IAsyncLifetime
{
    private readonly TempDirectory folder = new();

    private string Pipe => folder.File("pipe");

    public async ValueTask InitializeAsync() => await Programs.Run("mkfifo", "-m", "600", Pipe);

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Settings_are_refused() =>
        (await InTime(() => ConfigFile.Load(Pipe))).Problems.ShouldHaveSingleItem().ShouldContain($"{Pipe} is a pipe, not a file");

    [Theory]
    [InlineData("/dev/zero", "is a device, not a file")]
    [InlineData("/dev/tty", "is a device, not a file")]
    [InlineData("/proc/kmsg", "")] // looks like a file
    public async Task Nor_do_devices_hold_up_settings(string path, string expected) =>
        (await InTime(() => ConfigFile.Load(path))).Problems.ShouldHaveSingleItem().ShouldContain($"{path} {expected}");

    [Fact]
    public async Task Of_settings_that_cannot_be_used_nothing_is_salvaged() => (await InTime(() => SalvagedSockets.Read(Pipe))).Force.ShouldBeTrue();

    [Theory]
    [InlineData("ca")]
    [InlineData("cert")]
    [InlineData("key")]
    public async Task Certificates_and_keys_are_refused(string key) =>
        (await InTime(() => Load($"tls: {{ {key}: {Pipe} }}"))).Problems[0].ShouldContain($"{Pipe} is a pipe, not a file");

    [Fact]
    public async Task Kubelets_plugin_settings_are_refused() =>
        (await InTime(() => Load($"credentialProvider: {{ config: {Pipe}, binDir: / }}"))).Problems.ShouldContain(problem => problem.Contains("pipe"));

    [Theory]
    [InlineData("username: robot\npasswordFile")]
    [InlineData("dockerConfig")]
    public async Task A_credential_is_missing_and_it_is_said_why_at_the_start_and_in_each_call(string key)
    {
        var result = await InTime(() => Load($"{key}: {Pipe}"));
        result.Warnings.ShouldContain(warning => warning.EndsWith($"{Pipe} is a pipe, not a file; name a file"));
        (await InTime(() => SmallFile.TryRead(Pipe, 100, out var problem) is null ? problem : "")).ShouldBe("is a pipe, not a file; name a file");
    }

    [Fact]
    public async Task A_record_is_set_aside()
    {
        var log = new CapturingLog();
        var state = Directory.CreateDirectory(folder.File("state"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        File.Move(Pipe, Path.Combine(state, "pulls.json"));
        using (var opened = await InTime(() => NodeState.Open(state, log, RawConnection.Patience)))
            opened.IsNew.ShouldBeTrue();
        log.Complaints.ShouldContain(line => line.Contains("it is a pipe, not a file"));
    }

    // What hangs is left behind: it waits for the pipe, and fails the test.
    private static Task<T> InTime<T>(Func<T> read) =>
        Task.Factory.StartNew(read, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken);

    private ConfigResult Load(string yaml)
    {
        var file = folder.File("shim.yaml");
        File.WriteAllText(file, $"address: https://sealos.hub:5000\n{yaml}\n");
        return ConfigFile.Load(file);
    }
}
