using System.Diagnostics;
using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Faults;

/// <summary>A caller on grpc-go with kubelet's connection parameters and load: the group <c>kubelet-load</c> of tests/peers.</summary>
internal sealed class GoKubelet : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    private GoKubelet(Process process) => (_process, _errors) = (process, process.StandardError.ReadToEndAsync());

    /// <summary>Starts the caller and waits until everything is under way.</summary>
    /// <param name="stack">One of the two versions of grpc-go.</param>
    /// <param name="socketPath">Of a runtime, or of the shim.</param>
    /// <param name="options">Those of the group.</param>
    public static async Task<GoKubelet> StartAsync(Stack stack, string socketPath, JsonObject options)
    {
        var kubelet = new GoKubelet(await Peer.StartAsync(stack, "caller", socketPath, "kubelet-load", options.ToJsonString()));
        if (await kubelet.ReadLineAsync() is "ready") return kubelet;
        throw new InvalidOperationException($"the kubelet on grpc-go did not start:\n{await kubelet._errors}");
    }

    /// <summary>Waits for the calls that are long, ends the load, and gives the sums.</summary>
    public async Task<KubeletSums> FinishAsync()
    {
        _process.StandardInput.Close();
        var line = await ReadLineAsync() ?? throw new InvalidOperationException($"the kubelet on grpc-go broke:\n{await _errors}");
        return KubeletSums.Of(JsonNode.Parse(line)!);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(RawConnection.Patience);
        _process.Dispose();
    }

    private async Task<string?> ReadLineAsync() => await _process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(2));
}

/// <summary>What a <see cref="GoKubelet"/> counted.</summary>
/// <param name="Calls">All that ended but those that are long.</param>
/// <param name="Failed">How many of them failed, by method and status code.</param>
/// <param name="Long">The calls that were under way from the beginning: method and status code.</param>
/// <param name="Figures">The times, for people.</param>
/// <param name="Texts">The status texts of failed calls.</param>
internal sealed record KubeletSums(
    int Calls, IReadOnlyDictionary<string, int> Failed, IReadOnlyList<string> Long, string Figures, string Texts)
{
    /// <summary>How many of all failed.</summary>
    public int FailedCalls => Failed.Values.Sum();

    public static KubeletSums Of(JsonNode printed)
    {
        var (result, measured) = (printed["result"]!, printed["measured"]!);
        var calls = (int)measured["calls"]!;
        var failed = result["failed"]!.AsObject().ToDictionary(pair => pair.Key, pair => (int)pair.Value!);
        var ended = result["long"]!.AsArray().Select(call => $"{call!["call"]} {call["code"]}").ToArray();
        var figures = $"{calls} calls, {failed.Values.Sum()} failed{CodesOf(failed)}, longest wait {measured["longest wait ms"]} ms, "
            + $"longest without an answer {measured["longest without an answer ms"]} ms{string.Concat(ended.Select(call => $", {call}"))}";
        return new(calls, failed, ended, figures, result.ToJsonString());
    }

    private static string CodesOf(Dictionary<string, int> failed)
    {
        var codes = failed.GroupBy(pair => pair.Key.Split(' ')[^1], pair => pair.Value).Select(code => $"{code.Sum()} {code.Key}");
        return failed.Count == 0 ? "" : $" ({string.Join(", ", codes.Order())})";
    }

    public void ShouldNotHaveFailed()
    {
        Failed.ShouldBeEmpty(Texts);
        Long.ShouldAllBe(call => call.EndsWith(" OK", StringComparison.Ordinal), Texts);
    }
}
