namespace ImageCriShim.Benchmarks;

/// <summary>Everything that stands while the bench runs: the runtimes, and in front of both each process that is compared.</summary>
internal sealed class Scene(Lab lab) : IDisposable
{
    private static readonly string s_self = Environment.ProcessPath!;
    private static readonly string s_program = typeof(Scene).Assembly.Location;

    private const int FirstMetricsPort = 19464;

    private readonly List<Daemon> _daemons = [];
    private int _shims;
    private int _fresh;

    internal Lab Lab { get; } = lab;

    internal IReadOnlyList<Way> Ways { get; private set; } = [];

    internal async Task Start()
    {
        var containerd = await Lab.Start();
        var answering = Path("answering");
        Keep(Daemon.Start(Lab.Directory, "answering", s_self, s_program, "runtime", answering), answering);
        Ways =
        [
            new Way(Way.Direct, containerd, answering),
            new Way(Way.Splice, Path("splice"), Path("splice-answering"), StartSplice("splice", containerd)),
            Through(Way.OfShim, containerd, answering),
        ];
        StartSplice("splice-answering", answering);
    }

    internal string PlainSettings => $"address: http://{Lab.HubAddress}\n";

    /// <summary>A registry that speaks TLS under an authority of its own.</summary>
    internal string SecureSettings => $"address: https://{Lab.SecureAddress}\ntls: {{ca: {Lab.Authority}}}\n";

    /// <summary>One more shim, in front of the answering runtime.</summary>
    internal (Daemon Daemon, string Socket) StartFreshShim(Way way, string settings) => StartFresh(way, Path("answering"), settings);

    /// <summary>One more of what stands in the middle, in front of any runtime.</summary>
    internal (Daemon Daemon, string Socket) StartFresh(Way way, string runtime, string settings)
    {
        var name = $"{way.Name}-{++_fresh}";
        var daemon = way.Shim is { } program ? StartShim(name, program, runtime, settings) : StartSpliceProcess(name, runtime);
        return (daemon, Path(name));
    }

    public void Dispose()
    {
        foreach (var daemon in _daemons)
            daemon.Dispose();
    }

    private Way Through(string name, string containerd, string answering)
    {
        var program = $"{Lab.Root}/artifacts/package/image-cri-shim";
        var middle = Keep(StartShim(name, program, containerd, PlainSettings), Path(name));
        var other = $"{name}-answering";
        Keep(StartShim(other, program, answering, PlainSettings), Path(other));
        return new Way(name, Path(name), Path(other), middle, program);
    }

    private Daemon StartShim(string name, string program, string runtime, string settings)
    {
        var file = $"{Lab.Directory}/{name}.yaml";
        var metrics = $"metrics: 127.0.0.1:{FirstMetricsPort + _shims++}"; // as on a node, but several at once
        File.WriteAllText(file, $"shim: {Path(name)}\ncri: {runtime}\nimage: {Lab.Directory}/{name}.state\n{metrics}\n{settings}");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return Daemon.Start(Lab.Directory, name, program, "-f", file);
    }

    private Daemon StartSplice(string name, string to) => Keep(StartSpliceProcess(name, to), Path(name));

    private Daemon StartSpliceProcess(string name, string to) => Daemon.Start(Lab.Directory, name, s_self, s_program, "splice", Path(name), to);

    private Daemon Keep(Daemon daemon, string socket)
    {
        _daemons.Add(daemon);
        daemon.WaitUntilListening(socket);
        return daemon;
    }

    private string Path(string name) => $"{Lab.Directory}/{name}.sock";
}
