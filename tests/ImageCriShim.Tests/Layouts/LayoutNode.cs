using System.Diagnostics;
using ImageCriShim.Commands;
using ImageCriShim.Inspection;
using ImageCriShim.Installation;
using ImageCriShim.Tests.Installation;

namespace ImageCriShim.Tests.Layouts;

/// <summary>
/// A node of a layout that runs: stand-ins of systemd, of the runtimes and of the kubelet, which calls where it was told to at its last
/// start. It calls every 100 ms, and at each step of install, uninstall and systemctl; that nobody answered is written down.
/// </summary>
internal sealed class LayoutNode : IDisposable
{
    private const string Shim = "/var/run/image-cri-shim.sock";
    private const string Wants = "/etc/systemd/system/multi-user.target.wants";

    private static readonly EnumerationOptions s_everything = new() { RecurseSubdirectories = true, AttributesToSkip = 0 };

    private readonly InstalledNode _files = new();
    private readonly Layout _layout;
    private readonly NodeTree _tree;
    private readonly FakeSystemd _systemd;
    private readonly FakeSystemctl _systemctl;
    private readonly List<AnsweringSocket> _runtimes;
    private readonly List<string> _failures = [];
    private readonly ManualResetEventSlim _isOver = new();
    private readonly Thread _clock;
    private Func<string, bool>? _interruption;

    public LayoutNode(Layout layout)
    {
        (_layout, _tree) = (layout, new NodeTree(_files.Root));
        Directory.CreateDirectory($"{_files.Root}/run");
        _files.Link("/var/run", "../run");
        layout.WriteTo((path, text) => _files.Write(path, text), _files.Link);
        foreach (var unit in layout.Running)
            _files.Link($"{Wants}/{unit}", LoadedUnit.Load(_tree, unit)!.Path);
        _runtimes = [.. layout.Runtimes.Select(socket => new AnsweringSocket(_tree.At(socket), () => socket))];
        _systemd = new FakeSystemd(_tree) { OnMoment = Ask };
        _systemctl = new FakeSystemctl(_systemd, _files.Beside("programs")) { Fails = IsInterrupted };
        _systemd.Boot();
        _clock = new Thread(AskEach100Milliseconds) { IsBackground = true };
        _clock.Start();
    }

    /// <summary>What the kubelet was told when it was started last.</summary>
    public KubeletSettings Kubelet
    {
        get { lock (_systemd.Gate) return _systemd.Kubelets.ShouldHaveSingleItem().Kubelet!; }
    }

    /// <summary>Whether the kubelet calls the shim for everything.</summary>
    public bool CallsTheShim => IsShim(Kubelet.Runtime) && IsShim(Kubelet.Images);

    /// <summary>The runtime that answers the kubelet's calls, and whether through the shim.</summary>
    public string WhoAnswers => AnsweringSocket.Ask(_tree.At(Kubelet.Runtime));

    /// <summary>All files but sockets, a line each.</summary>
    public IReadOnlyList<string> Files => [.. _files.Look(withTimes: false, without: "/run")];

    /// <summary>The files that speak of the shim; after it is gone, who reads them would call where nobody listens.</summary>
    public IEnumerable<string> Mentions => Directory.EnumerateFiles(_files.Root, "*", s_everything)
        .Where(file => !file.Contains("/run/", StringComparison.Ordinal) && new FileInfo(file).LinkTarget is null)
        .Where(file => $"{file}\n{File.ReadAllText(file)}".Contains("image-cri-shim", StringComparison.Ordinal));

    private Systemd Systemd => new(isRunning: true, _systemctl.Program);

    public Outcome Install() => _files.Install(
        cri: Option("--cri"), address: Option("--address") ?? "http://sealos.hub:5000", beforeStep: AskAtStep, systemd: Systemd);

    public Outcome Uninstall() => _files.Uninstall(beforeStep: AskAtStep, systemd: Systemd);

    /// <summary>What check says of kubelet.</summary>
    public Finding Check() => KubeletLook.Look(new NodeRoot(new NodeFiles(_files.Root)), Shim);

    /// <summary>Runs install or uninstall, killed before a step of it, or with a systemctl that fails.</summary>
    /// <param name="at">How many steps it gets to do; a run with less was interrupted before each of them.</param>
    /// <returns>The step; null where it has no more than that.</returns>
    public string? Interrupt(int at, Func<LayoutNode, Outcome> run)
    {
        string? reached = null;
        _interruption = step =>
        {
            if (at-- > 0)
                return false;
            (_interruption, reached) = (null, $"before: {step}");
            return true;
        };
        try
        {
            run(this);
        }
        catch (OperationCanceledException)
        {
            // It was killed.
        }

        _interruption = null;
        return reached;
    }

    /// <summary>Lets happen to the node what the layout says.</summary>
    public void LetHappen(string what)
    {
        foreach (var script in what == Layout.Everything ? _layout.Events.Values : [_layout.Events[what]])
            Run(script);
        AskWithin($"after: {what}");
    }

    /// <summary>Restarts the kubelet, as its operator may at any time.</summary>
    public void RestartKubelet()
    {
        foreach (var command in (string[])["daemon-reload", $"restart {string.Join(' ', _systemd.Kubelets.Select(unit => unit.Unit.Name))}"])
            _systemctl.Run(command).Code.ShouldBe(0, $"systemctl {command}\n{string.Join('\n', _failures)}");
    }

    public void Reboot()
    {
        lock (_systemd.Gate)
        {
            Try("a reboot", _systemd.Boot);
            Ask("after a reboot");
        }
    }

    /// <summary>Fails if at any moment the kubelet reached no runtime.</summary>
    public void ShouldAlwaysHaveHadARuntime()
    {
        lock (_systemd.Gate)
            _failures.Distinct().Take(5).ShouldBeEmpty(string.Join('\n', _systemctl.Calls));
    }

    public void Dispose()
    {
        _isOver.Set();
        _clock.Join();
        _isOver.Dispose();
        _systemctl.Dispose();
        _systemd.Dispose();
        _runtimes.ForEach(runtime => runtime.Dispose());
        _files.Dispose();
    }

    private static bool IsShim(string socket) => socket == Shim["/var".Length..];

    private string? Option(string name) => Array.IndexOf(_layout.Options, name) is >= 0 and var at ? _layout.Options[at + 1] : null;

    private bool IsInterrupted(string step) => _interruption?.Invoke(step) is true;

    private void AskAtStep(string step)
    {
        AskWithin($"before: {step}");
        var isInterrupted = IsInterrupted(step);
        if (_interruption is null) // else another run is interrupted before this step, with the same files
            CutPower(step);
        if (isInterrupted)
            throw new OperationCanceledException(step);
    }

    private void CutPower(string step)
    {
        lock (_systemd.Gate)
            Try($"a power cut before: {step}", () => PowerCut.ShouldLeaveARuntime(_tree, _layout.Runtimes));
    }

    private void AskEach100Milliseconds()
    {
        while (!_isOver.Wait(100))
            AskWithin("100 ms later");
    }

    private void AskWithin(string when)
    {
        lock (_systemd.Gate)
            Ask(when);
    }

    private void Ask(string when)
    {
        if (when.StartsWith("systemctl", StringComparison.Ordinal))
            _failures.Add(when);
        foreach (var unit in _systemd.Kubelets)
        {
            foreach (var socket in new[] { unit.Kubelet!.Runtime, unit.Kubelet.Images }.Distinct())
                Try($"{when}, {unit.Unit.Name} calls {socket}", () => AnsweringSocket.Ask(_tree.At(socket)));
        }
    }

    private void Try(string what, Action action)
    {
        try
        {
            action();
        }
        catch (NodeFailure e)
        {
            _failures.Add($"{what}: {e.Message}");
        }
    }

    private void Run(string script)
    {
        var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", script]) { WorkingDirectory = _files.Root };
        start.RedirectStandardError = true;
        start.Environment["PATH"] = $"{Path.GetDirectoryName(_systemctl.Program)}:{Environment.GetEnvironmentVariable("PATH")}";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, $"{errors}\n{script}\n{string.Join('\n', _failures)}");
    }
}
