using System.Net;
using System.Net.Sockets;
using ImageCriShim.Installation;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Layouts;

/// <summary>The program <c>systemctl</c> of a node, as a script that asks the stand-in of systemd in this process.</summary>
internal sealed class FakeSystemctl : IDisposable
{
    private static readonly string[] s_withAValue = ["-p", "-P", "-t", "--property", "--type", "--state"];

    private readonly FakeSystemd _systemd;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    /// <param name="directory">The script is written there.</param>
    public FakeSystemctl(FakeSystemd systemd, string directory)
    {
        _systemd = systemd;
        _listener.Start();
        Directory.CreateDirectory(directory);
        Program = Path.Combine(directory, "systemctl");
        Script.Put(Program, $$"""
            #!/bin/bash
            exec 3<>/dev/tcp/127.0.0.1/{{((IPEndPoint)_listener.LocalEndpoint).Port}}
            echo "$*" >&3
            IFS= read -r code <&3
            while IFS= read -r line <&3; do echo "$line"; done
            exit "$code"

            """);
        new Thread(Serve) { IsBackground = true }.Start();
    }

    public string Program { get; }

    /// <summary>Is asked of each command that changes something whether it fails, without an effect.</summary>
    public Func<string, bool> Fails { get; init; } = _ => false;

    /// <summary>What it was asked since it was made.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>What the program does when it is called with these arguments.</summary>
    public (int Code, string Output) Run(string line)
    {
        lock (_systemd.Gate)
        {
            Calls.Add(line);
            _systemd.OnMoment($"before systemctl {line}");
            var result = RunOrFail(line);
            _systemd.OnMoment($"after systemctl {line}");
            return result;
        }
    }

    public void Dispose() => _listener.End();

    private void Serve()
    {
        try
        {
            while (true)
            {
                using var caller = _listener.AcceptTcpClient();
                using var reader = new StreamReader(caller.GetStream());
                using var writer = new StreamWriter(caller.GetStream());
                var (code, output) = Run(reader.ReadLine() ?? "");
                writer.Write($"{code}\n{output}");
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException or InvalidOperationException)
        {
            // It has been closed.
        }
    }

    private (int Code, string Output) RunOrFail(string line)
    {
        try
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var (options, others) = Sort(words);
            string[] units = [.. others.Skip(1).Select(unit => unit.Contains('.') || unit.Contains('*') ? unit : $"{unit}.service")];
            var isQuestion = others[0] is "show" or "is-active" or "is-enabled" or "list-units";
            return !isQuestion && Fails($"systemctl {line}") ? (1, "") : Answer(others[0], units, options);
        }
        catch (NodeFailure e)
        {
            _systemd.OnMoment($"systemctl {line}: {e.Message}");
            return (1, "");
        }
    }

    private static (List<string> Options, List<string> Others) Sort(string[] words)
    {
        var (options, others) = (new List<string>(), new List<string>());
        for (var i = 0; i < words.Length; i++)
        {
            (words[i].StartsWith('-') ? options : others).Add(words[i]);
            if (s_withAValue.Contains(words[i]) && i + 1 < words.Length)
                options.Add(words[++i]);
        }

        return (options, others);
    }

    private (int Code, string Output) Answer(string verb, string[] units, List<string> options) => verb switch
    {
        "daemon-reload" => Do(_systemd.Reload),
        "start" => Each(units, unit => _systemd.Start(unit)),
        "stop" => Each(units, _systemd.Stop),
        "restart" or "reload-or-restart" => Each(units, unit => _systemd.Restart(unit, evenIfStopped: true)),
        "try-restart" or "try-reload-or-restart" or "condrestart" => Each(units, unit => _systemd.Restart(unit, evenIfStopped: false)),
        "reload" => Each(units, unit => _systemd.IsRunning(unit) ? 0 : 1),
        "is-active" => (units.Any(_systemd.IsRunning) ? 0 : 3, Lines(units, unit => _systemd.IsRunning(unit) ? "active" : "inactive")),
        "is-enabled" => (units.Any(_systemd.IsEnabled) ? 0 : 1, Lines(units, StateOfFile)),
        "show" => (0, string.Join('\n', units.Select(unit => Show(unit, options)))),
        "list-units" => (0, string.Concat(_systemd.Kubelets.Select(unit => $"{unit.Unit.Name} loaded active running {unit.Unit.Name}\n"))),
        "reset-failed" => (0, ""),
        _ => throw new NodeFailure($"the stand-in of systemctl does not know {verb}"),
    };

    private static (int Code, string Output) Do(Action action)
    {
        action();
        return (0, "");
    }

    private static (int Code, string Output) Each(string[] units, Func<string, int> act) =>
        (units.Select(act).ToList().FirstOrDefault(code => code != 0), "");

    private static string Lines(string[] units, Func<string, string> line) => string.Concat(units.Select(unit => $"{line(unit)}\n"));

    private string StateOfFile(string unit) =>
        _systemd.Find(unit) is not { } found ? "not-found" : found.IsMasked ? "masked" : _systemd.IsEnabled(unit) ? "enabled" : "disabled";

    private string Show(string unit, List<string> options)
    {
        var names = options.SelectMany((option, at) => option is "-p" or "-P" or "--property" ? options[at + 1].Split(',')
            : option.StartsWith("--property=", StringComparison.Ordinal) ? option["--property=".Length..].Split(',') : []).ToList();
        var isBare = options.Contains("--value") || options.Contains("-P");
        return string.Concat(names.Select(name => $"{(isBare ? "" : $"{name}=")}{Property(unit, name)}\n"));
    }

    private string Property(string unit, string name) => name switch
    {
        "Id" or "Names" => unit,
        "ActiveState" => _systemd.IsRunning(unit) ? "active" : "inactive",
        "SubState" => _systemd.IsRunning(unit) ? "running" : "dead",
        "LoadState" => _systemd.Find(unit) is not { } found ? "not-found" : found.IsMasked ? "masked" : "loaded",
        "UnitFileState" => StateOfFile(unit) is "not-found" ? "" : StateOfFile(unit),
        "FragmentPath" => _systemd.Find(unit)?.Path ?? "",
        "MainPID" or "ExecMainPID" => "0",
        "NeedDaemonReload" => "no",
        "Listen" => _systemd.IsRunning(unit) && _systemd.Find(unit)?.Values("ListenStream") is [var path] ? $"{path} (Stream)" : "",
        _ => "",
    };
}
