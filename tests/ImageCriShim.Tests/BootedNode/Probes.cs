using System.Runtime.CompilerServices;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.BootedNode;

/// <summary>
/// Runs a probe program (<c>probe.c</c>) in units with lines of the shim's own, as the package has installed it: all of its lines, none of
/// them, or those of some keys alone, so that each restriction is seen by itself and not by what others forbid as well.
/// </summary>
public sealed class Probes(DebianNode node) : IAsyncLifetime
{
    /// <summary>A unit with every line of the shim's, but with the probe as its program.</summary>
    public const string All = "all";

    /// <summary>A unit without a restriction.</summary>
    public const string None = "none";

    private const string Directory = "/run/probe";

    // What the probe has otherwise.
    private static readonly string[] s_ofTheDaemon =
        ["Type", "ExecStart", "ExecReload", "Restart", "RestartSec", "WatchdogSec", "WatchdogSignal"];

    private readonly Dictionary<string, Dictionary<string, string>> _found = [];

    /// <summary>The lines of the shim's unit that restrict what it may do: those of <c>[Service]</c> from <c>LimitCORE=</c> on.</summary>
    public string[] Restrictions { get; private set; } = [];

    /// <summary>What an attempt led to in the unit with those keys' lines (<c>A+B</c>), <see cref="All"/> or <see cref="None"/>.</summary>
    public string this[string unit, string attempt] => _found[unit][attempt];

    public async ValueTask InitializeAsync()
    {
        await node.Restore();
        await PutProbe();
        await node.Run($"""
            mkdir -p {Directory} /home
            touch /tmp/probe-file /dev/probe-file
            for secret in /root/probe-secret /opt/probe-secret; do echo secret >$secret; chmod 600 $secret; done
            chown 33:33 /opt/probe-secret
            """);
        var text = await node.Run("cat /lib/systemd/system/image-cri-shim.service");
        string[] lines = [.. text.Split('\n').SkipWhile(line => line != "[Service]").Skip(1).TakeWhile(line => line != "[Install]")
            .Where(line => line is not ("" or ['#', ..]))];
        Restrictions = [.. lines.SkipWhile(line => KeyOf(line) != "LimitCORE")];
        await WriteUnit(None, []);
        await WriteUnit(All, lines.Where(line => !s_ofTheDaemon.Contains(KeyOf(line))));
        foreach (var keys in WhatTheUnitForbids.Units)
            await WriteUnit(keys, Restrictions.Where(line => keys.Split('+').Contains(KeyOf(line))));

        await node.Run("systemctl daemon-reload; cd /run/systemd/system; for unit in probe-*; do systemctl start $unit; done");
        foreach (var found in (await node.Run($"cd {Directory}; grep -H = *")).Split('\n'))
            Keep(found.Split(':', 2)[0], found.Split(':', 2)[1].Split('=', 2));
    }

    public async ValueTask DisposeAsync() =>
        await node.Run($"""
            rm -rf {Directory} /opt/probe* /root/probe-secret /tmp/probe-file /dev/probe-file /run/systemd/system/probe-*
            systemctl daemon-reload
            """);

    public static string KeyOf(string line) => line.Split('=')[0];

    private async Task WriteUnit(string unit, IEnumerable<string> with)
    {
        var attempts = string.Join(' ', WhatTheUnitForbids.Attempts.Select(attempt => $"\"{attempt}\""));
        string[] start = ["[Service]", "Type=oneshot", $"StandardOutput=truncate:{Directory}/{unit}", $"ExecStart=/opt/probe {attempts}"];
        await node.Write($"/run/systemd/system/probe-{unit.Replace('+', '_')}.service", string.Join('\n', [.. start, .. with, ""]));
    }

    private void Keep(string unit, string[] found)
    {
        if (!_found.TryGetValue(unit, out var all)) _found[unit] = all = [];
        all[found[0]] = found[1];
    }

    // Setuid, so that a program which may not gain by it can be seen not to.
    private async Task PutProbe([CallerFilePath] string here = "")
    {
        using var directory = new TempDirectory();
        var source = Path.Combine(Path.GetDirectoryName(here)!, "probe.c");
        await Programs.Run("cc", "-O1", "-static", "-Wall", "-o", directory.File("probe"), source);
        await node.Put(directory.File("probe"));
        await node.Run("chmod 4755 /opt/probe");
    }
}
