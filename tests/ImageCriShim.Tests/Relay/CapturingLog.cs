using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Tests.Relay;

/// <summary>Keeps what was logged.</summary>
internal sealed class CapturingLog : ILogger
{
    private const int EditedCallFailed = 1001;
    private const int ConnectionFailed = 1005;

    private readonly ConcurrentQueue<(LogLevel Level, int Id, string Text)> _lines = new();

    internal IEnumerable<string> Lines => _lines.Select(line => $"{line.Id} {line.Text}");

    /// <summary>Warnings and errors.</summary>
    internal IEnumerable<string> Complaints => _lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Text);

    /// <summary>What the relay says of its own mistakes.</summary>
    internal IEnumerable<string> Defects => _lines.Where(line => line.Id is EditedCallFailed or ConnectionFailed).Select(line => line.Text);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((logLevel, eventId.Id, $"{formatter(state, exception)} {exception}"));
}
