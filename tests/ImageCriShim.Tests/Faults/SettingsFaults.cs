using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Faults;

/// <summary>
/// Whatever becomes of the settings, a shim that runs goes on by those that it has, and one that is started with <c>--fail-open</c> forwards:
/// the node goes on without rewriting.
/// </summary>
[Collection<FaultTests>]
[Trait("suite", "faults")]
public sealed class SettingsFaults(FaultNode node)
{
    private const int SigHup = 1;

    [Theory]
    [InlineData("rubbish")]
    [InlineData("an empty file")]
    [InlineData("a directory")]
    [InlineData("half of themselves")]
    public async Task Settings_that_are_lost_lose_no_call(string settings)
    {
        await using var scene = await Scene.Set(node, $"settings replaced by {settings}", new()
        {
            Arguments = ["--fail-open"],
            HoldsSocket = true,
            Within = InWhichTheRuntimeIsFound,
        });
        var file = scene.File("image-cri-shim.yaml");
        var whole = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);

        var effect = await scene.Suffer(
            () =>
            {
                Replace(file, settings, whole);
                return scene.Shim.Restart();
            },
            TimeSpan.FromSeconds(2),
            () =>
            {
                Restore(file, whole);
                return scene.Shim.Restart();
            }, untilPulled: true);

        // What was pulled by another name has only that one while nothing is rewritten.
        effect.ShouldOnlyHaveFailed((Workload.Pulls, GrpcStatus.Wrong)).ShouldHavePulledMeanwhile();
        scene.Shim.Starts.ShouldBe(3);
    }

    [Theory]
    [InlineData("rubbish", true)]
    [InlineData("an empty file", true)]
    [InlineData("a directory", true)]
    [InlineData("half of themselves", true)]
    [InlineData("rubbish", false)]
    public async Task Settings_that_are_lost_under_a_running_shim_are_still_its_settings(string settings, bool isAsked)
    {
        await using var scene = await Scene.Set(
            node, $"settings become {settings}{(isAsked ? ", SIGHUP" : ", seen")}", new() { Arguments = ["--fail-open"], Yaml = "reloadInterval: 500ms" });
        var file = scene.File("image-cri-shim.yaml");
        var whole = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);

        var effect = await scene.Suffer(
            () =>
            {
                Replace(file, settings, whole);
                return isAsked ? scene.Shim.Signal(SigHup) : Task.CompletedTask;
            },
            TimeSpan.FromSeconds(2),
            () =>
            {
                Restore(file, whole);
                return isAsked ? scene.Shim.Signal(SigHup) : Task.CompletedTask;
            }, untilPulled: true);

        effect.ShouldNotHaveFailed().ShouldHavePulledMeanwhile();
        scene.Shim.Starts.ShouldBe(1);
        scene.Shim.Output.ShouldContain("what was in force before stays in force");
        await Wait.Until(() => scene.Shim.Output.Contains("can be used again"), "they are in force again");
    }

    // Where it is looked for if no settings say where.
    private string InWhichTheRuntimeIsFound =>
        $"exec unshare -m bash -c 'mkdir -p /run/containerd && mount --bind {Path.GetDirectoryName(node.Socket)} /run/containerd && exec \"$@\"' bash \"$@\"";

    private static void Replace(string file, string by, string whole)
    {
        File.Delete(file);
        if (by == "a directory")
            Directory.CreateDirectory(file);
        else
            File.WriteAllText(file, by switch { "rubbish" => "\0\u0001{{{ not: [yaml", "an empty file" => "", _ => HalfOf(whole) });
    }

    /// <summary>Ends within a key: half a value is a value, which nobody can tell from a whole one.</summary>
    private static string HalfOf(string whole) => whole[..(whole.IndexOf("cache:", StringComparison.Ordinal) + 3)];

    private static void Restore(string file, string whole)
    {
        if (Directory.Exists(file))
            Directory.Delete(file);
        File.WriteAllText(file, whole);
    }
}
