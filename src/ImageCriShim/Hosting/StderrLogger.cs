using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Hosting;

internal enum LogFormat
{
    /// <summary>For people: under systemd a priority (sd-daemon(3)), elsewhere the time, then level and message.</summary>
    Text,

    /// <summary>For machines: one JSON object per line.</summary>
    Json,
}

/// <summary>One line per event on standard error, where journald and people expect a daemon's log.</summary>
internal sealed class StderrLogger(LogFormat format, LogLevel least, TimeProvider time, TextWriter output, bool underJournald) : ILogger
{
    private readonly Lock _writing = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel != LogLevel.None;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        // No more than this: of a generic method whatever it does is compiled anew, at run time, for every kind of message.
        if (IsEnabled(logLevel))
            Write(logLevel, eventId, state, exception, formatter(state, exception));
    }

    private void Write(LogLevel level, EventId id, object? state, Exception? exception, string message)
    {
        var line = format is LogFormat.Json ? FormatJson(level, id, state, exception, message) : FormatText(level, exception, message);
        lock (_writing)
            output.WriteLine(line);
    }

    private string FormatText(LogLevel level, Exception? exception, string message)
    {
        // One event is one line: what somebody else wrote into a message must not look like a line of ours.
        var text = $"{message}{(exception is null ? "" : $": {exception}")}".ReplaceLineEndings(" | ");
        return underJournald
            ? $"<{Priority(level)}>{text}"
            : $"{Now()} {Name(level)} {text}";
    }

    private string FormatJson(LogLevel level, EventId id, object? state, Exception? exception, string message)
    {
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("time", Now());
            json.WriteString("level", Name(level));
            json.WriteNumber("event", id.Id);
            json.WriteString("message", message);
            if (state is IReadOnlyList<KeyValuePair<string, object?>> values)
                WriteValues(json, values);
            if (exception is not null)
                json.WriteString("exception", exception.ToString());
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length);
    }

    private static void WriteValues(Utf8JsonWriter json, IReadOnlyList<KeyValuePair<string, object?>> values)
    {
        foreach (var (name, value) in values)
        {
            if (name == "{OriginalFormat}")
                continue;
            json.WritePropertyName(JsonNamingPolicy.CamelCase.ConvertName(name));
            if (value is int or long)
                json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
            else
                json.WriteStringValue(value?.ToString());
        }
    }

    private string Now() => time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "critical",
    };

    private static int Priority(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => 7,
        LogLevel.Information => 6,
        LogLevel.Warning => 4,
        LogLevel.Error => 3,
        _ => 2,
    };
}
