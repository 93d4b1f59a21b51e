using System.Collections.Concurrent;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Faults;

/// <summary>
/// A site's registries, each for other images, and the runtime's part of pulling from them. The origins themselves are out of reach, but for
/// the one that is excluded from rewriting.
/// </summary>
internal sealed class PrivateRegistries : IAsyncDisposable
{
    private static readonly string[] s_origins = ["docker.io", "quay.io", "private.test"];

    private readonly FakeRegistry[] _registries = [FakeRegistry.Start(), FakeRegistry.Start(), FakeRegistry.Start()];
    private readonly RegistryLine[] _lines;
    private readonly ConcurrentQueue<string> _trespasses = new();

    public PrivateRegistries(int images)
    {
        _lines = [.. _registries.Select(registry => RegistryLine.To(registry.Port))];
        for (var i = 0; i < images; i++)
        {
            foreach (var registry in _registries)
            {
                registry.Add($"team/of-docker.io-{i}", "1");
                registry.Add($"hub/team/of-docker.io-{i}", "1");
                registry.Add($"team/of-quay.io-{i}", "1");
                registry.Add($"team/of-private.test-{i}", "1"); // a trap: nobody may ask for it here
            }
        }
    }

    public string Yaml => $$"""
        address: {{_lines[0].Address}}
        probeTimeout: 300ms
        timeout: 3s
        cache: { imageCacheTTL: 1s, missTTL: 1s }
        exclude: [private.test]
        registries:
        - { address: "{{_lines[1].Address}}", images: [docker.io], path: "hub/{repository}" }
        - { address: "{{_lines[2].Address}}", images: [quay.io], priority: 2000 }
        """;

    /// <summary>Images that were asked for where they are not to be.</summary>
    public IReadOnlyCollection<string> Trespasses =>
        [.. _trespasses, .. _registries.SelectMany((registry, number) => registry.Requests.Where(request => !MayBeAsked(number, request.Path)).Select(request => $"{number}: {request.Path}"))];

    public static string Image(int origin, int number) => $"{s_origins[origin]}/team/of-{s_origins[origin]}-{number}:1";

    /// <summary>What the runtime says that it has pulled for it.</summary>
    public static string RefOf(string image) => "sha256:" + image[(image.LastIndexOf('/') + 1)..];

    /// <summary>Whether a text says where an image was looked for.</summary>
    public bool Names(string text) => _lines.Any(line => text.Contains(line.Host));

    /// <summary>The runtime's PullImage.</summary>
    public async Task Pull(FakeCall call)
    {
        var name = FindText(await call.ReadRequestAsync(), 1, 1);
        var line = _lines.FirstOrDefault(line => name.StartsWith(line.Host + "/", StringComparison.Ordinal));
        if (line is null && !name.StartsWith("private.test/", StringComparison.Ordinal))
        {
            call.Fail(2, $"failed to pull and unpack image \"{name}\": no such host");
            return;
        }

        if (line is not null && !MayBePulled(Array.IndexOf(_lines, line), name[(line.Host.Length + 1)..]))
            _trespasses.Enqueue(name);
        while (line is { Fault: { IsDropped: true } or { HangsAfter: not null } })
            await Task.Delay(5, call.Cancelled);
        if (line is { Fault: { IsRefused: true } or { Answer: not null } })
            call.Fail(2, $"failed to pull and unpack image \"{name}\": connection refused, or 500");
        else
            await call.AnswerAsync(Field(1, RefOf(name)));
    }

    /// <summary>Outages of every kind and of random lengths, each registry's for itself, until it is over; then all are well.</summary>
    public Task ComeAndGo(int seed, CancellationToken over) => Task.WhenAll(_lines.Select((line, number) => ComeAndGo(line, new Random(seed + number), over)));

    public async ValueTask DisposeAsync()
    {
        foreach (var line in _lines)
            await line.DisposeAsync();
        foreach (var registry in _registries)
            await registry.DisposeAsync();
    }

    private static async Task ComeAndGo(RegistryLine line, Random random, CancellationToken over)
    {
        LineFault[] faults = [LineFault.Refused, LineFault.Dropped, LineFault.HungAfter(0), LineFault.HungAfter(20), LineFault.Broken];
        while (!over.IsCancellationRequested)
        {
            await Rest(random.Next(200, 1500), over);
            line.Fault = faults[random.Next(faults.Length)];
            await Rest(random.Next(50, 500), over);
            line.Fault = LineFault.None;
        }
    }

    private static Task Rest(int milliseconds, CancellationToken over) => Task.Delay(milliseconds, over).ContinueWith(_ => { }, TaskScheduler.Default);

    private static bool MayBeAsked(int registry, string path) => path == "/v2/" || MayBePulled(registry, path["/v2/".Length..]);

    private static bool MayBePulled(int registry, string repository) => registry switch
    {
        0 => repository.StartsWith("team/of-docker.io-", StringComparison.Ordinal) || repository.StartsWith("team/of-quay.io-", StringComparison.Ordinal),
        1 => repository.StartsWith("hub/team/of-docker.io-", StringComparison.Ordinal),
        _ => repository.StartsWith("team/of-quay.io-", StringComparison.Ordinal),
    };
}
