using System.Runtime.InteropServices;
using ImageCriShim.Concurrency;
using ImageCriShim.Configuration;
using ImageCriShim.Hosting;
using ImageCriShim.Metrics;
using Microsoft.Extensions.Logging;
using Log = ImageCriShim.Hosting.Log;

namespace ImageCriShim;

/// <summary>
/// Takes over what the config file says by now, all of it or nothing: on SIGHUP, and when a look every <c>reloadInterval</c> finds that it has
/// changed. Settings that cannot be used leave those in force as they are.
/// </summary>
internal sealed class Reload : IDisposable
{
    private const int LooksUntilRead = 20; // then it is read as it is: somebody writes it all the time

    /// <summary>Whoever writes a file writes it at once; it is read when nothing has been done to it for so long.</summary>
    private static readonly TimeSpan s_rest = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan s_shortestInterval = TimeSpan.FromMilliseconds(100); // a look costs some microseconds

    private readonly string _path;
    private readonly CallRouting _routing;
    private readonly ShimMetrics _metrics;
    private readonly StderrLogger _log;
    private readonly ITimer _timer;
    private readonly Lock _gate = new(); // one reload at a time
    private ShimSettings _inForce;
    private ConfigIdentity _read; // what was read last, usable or not
    private ConfigIdentity? _unread; // a change that has not come to rest
    private int _looks;
    private HashSet<string> _remarks;
    private PosixSignalRegistration? _signal;
    private ServiceReport? _report;
    private bool _isOver; // the process ends, or another one serves

    /// <param name="path">Of the config file.</param>
    /// <param name="read">Which files <paramref name="config"/> was read from.</param>
    /// <param name="config">What they said at the start.</param>
    /// <param name="inForce">The settings that this process began with.</param>
    /// <param name="failOpen">Null if they are those of the file.</param>
    /// <param name="routing">Which goes by them.</param>
    /// <param name="metrics">Counts reloads.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">The log.</param>
    internal Reload(
        string path, ConfigIdentity read, ConfigResult config, ShimSettings inForce, FailOpen? failOpen, CallRouting routing, ShimMetrics metrics, TimeProvider time,
        StderrLogger log)
    {
        (_path, _read, _inForce, FailOpen, _routing, _metrics, _log) = (path, read, inForce, failOpen, routing, metrics, log);
        _remarks = [.. config.Warnings, .. config.Notes, .. config.OpenToAll];
        _timer = Background.CreateTimer("the look at the settings", time, Look);
    }

    /// <summary>Null: the settings that are in force are those of a file.</summary>
    internal FailOpen? FailOpen { get; private set; }

    /// <summary>What is wrong with the file, in a line; null: what it says is in force.</summary>
    internal string? Trouble { get; private set; }

    /// <summary>The config file.</summary>
    internal string Path => _path;

    /// <summary>Hands over where the program has changed as well; null before this process serves.</summary>
    internal Succession? Succession { get; set; }

    /// <summary>Settings that were put in force.</summary>
    internal event Action<ShimSettings>? Adopted;

    /// <summary>
    /// Puts the settings of the start in force. Before anybody can see that we are there: from now on SIGHUP does not end the process.
    /// </summary>
    internal void Begin()
    {
        lock (_gate)
        {
            if (FailOpen is null)
                _routing.Adopt(_inForce);
            _signal = Background.OnSignal(PosixSignal.SIGHUP, OnSignal);
        }
    }

    /// <summary>Looks for changes from now on.</summary>
    /// <param name="report">Is told of each reload; null where nobody hears.</param>
    internal void Watch(ServiceReport? report)
    {
        lock (_gate)
            _report = report;
        Rest();
    }

    /// <summary>Takes over what is new: the settings, or, where another program lies on the disk, both by a handover.</summary>
    /// <param name="always">A handover even if the program is the same.</param>
    /// <returns>Whether a handover has begun, which ends later, or is being made; what is wrong otherwise, null: nothing.</returns>
    internal (bool IsHandover, string? Problem) Ask(bool always)
    {
        if (Succession is { } succession && (always || succession.IsProgramChanged))
            return succession.TryBegin() || succession.IsUnderWay ? (true, null) : (false, "this process ends already; ask again in a moment");
        lock (_gate)
        {
            Log.ReloadAsked(_log, _path);
            ReadAgain(ConfigIdentity.Look(_path));
            return (false, FailOpen?.Summary ?? Trouble);
        }
    }

    /// <summary>No change is taken over any more.</summary>
    internal void Cease()
    {
        lock (_gate)
            _isOver = true;
    }

    /// <summary>Changes are taken over again.</summary>
    internal void Resume()
    {
        lock (_gate)
            _isOver = false;
        Rest();
    }

    public void Dispose()
    {
        Cease();
        _signal?.Dispose();
        _timer.Dispose();
    }

    private void OnSignal(PosixSignal signal)
    {
        if (!Volatile.Read(ref _isOver))
            Ask(always: false);
    }

    private void Look()
    {
        try
        {
            lock (_gate)
                Compare(ConfigIdentity.Look(_path));
        }
        finally
        {
            Rest();
        }
    }

    private void Compare(ConfigIdentity now)
    {
        if (now.IsSameAs(_read))
            _unread = null;
        else if (now.IsSameAs(_unread) || ++_looks > LooksUntilRead)
            ReadAgain(now);
        else
            _unread = now;
    }

    private void Rest()
    {
        lock (_gate)
        {
            var interval = _inForce.ReloadInterval > s_shortestInterval ? _inForce.ReloadInterval : s_shortestInterval;
            if (!_isOver)
                _timer.Change(_unread is null ? interval : s_rest, Timeout.InfiniteTimeSpan);
        }
    }

    private void ReadAgain(ConfigIdentity identity)
    {
        if (_isOver)
            return;
        (_read, _unread, _looks) = (identity, null, 0); // looked at before it is read: what is written meanwhile is read the next time
        _report?.SayReloading();
        try
        {
            Take(ConfigFile.Load(_path));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _metrics.Reloads.Add("failed");
            Trouble = "a reload failed, the settings are older than the file";
            Log.ReloadBroke(_log, e);
        }
        finally
        {
            _report?.SayReady();
        }
    }

    private void Take(ConfigResult config)
    {
        foreach (var warning in config.Warnings.Where(warning => !_remarks.Contains(warning)))
            Log.ConfigWarning(_log, warning);
        foreach (var note in config.Notes.Where(note => !_remarks.Contains(note)))
            Log.ConfigNote(_log, note);
        foreach (var file in config.OpenToAll.Where(file => !_remarks.Contains(file)))
            Log.SecretsOpenToAll(_log, file);
        _remarks = [.. config.Warnings, .. config.Notes, .. config.OpenToAll];
        if (config.Settings is { } settings)
            Adopt(settings with { RuntimeSocket = settings.RuntimeSocket ?? _inForce.RuntimeSocket }); // not named: the one that was found
        else
            Refuse(config.Problems);
    }

    private void Adopt(ShimSettings settings)
    {
        var failedOpen = FailOpen is not null;
        var changes = failedOpen ? SettingsChanges.OfSockets(_inForce, settings) : SettingsChanges.Between(_inForce, settings);
        if (failedOpen || changes.Count > 0)
            _routing.Adopt(settings);
        _log.Least = settings.Debug ? LogLevel.Debug : LogLevel.Information;
        foreach (var change in changes)
            Log.SettingChanged(_log, change);
        if (failedOpen)
            Log.FailedOpenUntilNow(_log, _path);
        else if (Trouble is not null)
            Log.UsableAgain(_log, _path);
        else if (changes.Count == 0)
            Log.NothingChanged(_log, _path);
        (_inForce, FailOpen, Trouble) = (settings, null, null);
        _metrics.Reloads.Add("ok");
        Adopted?.Invoke(settings);
    }

    private void Refuse(IReadOnlyList<string> problems)
    {
        _metrics.Reloads.Add("failed");
        if (FailOpen is not null)
        {
            FailOpen = new FailOpen(problems, _log);
            FailOpen.Say();
            return;
        }

        foreach (var problem in problems)
            Log.ReloadProblem(_log, problem);
        Log.SettingsStay(_log, _path);
        Trouble = $"the settings are older than {_path}, which cannot be used: {FailOpen.Summarize(problems)}";
    }
}
