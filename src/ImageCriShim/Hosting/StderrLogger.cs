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
internal sealed class StderrLogger : ILogger, IDisposable
{
    /// <summary>Of a message, and of each value in it. The longest that we write is an exception; what others write may be megabytes.</summary>
    internal const int MaxChars = 16 * 1024;

    private readonly LogFormat _format;
    private volatile LogLevel _least;
    private readonly TimeProvider _time;
    private readonly bool _underJournald;
    private readonly LogRate _rate;
    private readonly LogLines _lines;
    private long _lost;

    internal StderrLogger(LogFormat format, LogLevel least, TimeProvider time, TextWriter output, bool underJournald)
    {
        (_format, _least, _time, _underJournald) = (format, least, time, underJournald);
        _rate = new LogRate(time, (id, count) => Hosting.Log.LinesLeftOut(this, count, id.Id, id.Name ?? "", LogRate.Burst, LogRate.PerSecond));
        _lines = new LogLines(output, count =>
        {
            Interlocked.Add(ref _lost, count);
            Hosting.Log.LinesLost(this, count);
        });
    }

    /// <summary>Lines of lower levels are not written. May be changed at any time.</summary>
    internal LogLevel Least
    {
        get => _least;
        set => _least = value;
    }

    /// <summary>Lines that nobody took in time, since the start.</summary>
    internal long Lost => Volatile.Read(ref _lost);

    /// <inheritdoc cref="LogLines.Flush"/>
    internal void Flush() => _lines.Flush();

    public void Dispose() => _lines.Dispose();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= _least && logLevel != LogLevel.None;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        // No more than this: of a generic method whatever it does is compiled anew, at run time, for every kind of message.
        if (IsEnabled(logLevel) && _rate.Passes(eventId))
            Write(logLevel, eventId, state, exception, formatter(state, exception));
    }

    private void Write(LogLevel level, EventId id, object? state, Exception? exception, string message)
    {
        message = Shortened(message);
        var line = _format is LogFormat.Json ? FormatJson(level, id, state, exception, message) : FormatText(level, exception, message);
        _lines.Add(line);
    }

    private string FormatText(LogLevel level, Exception? exception, string message)
    {
        // One event is one line: what somebody else wrote into a message must not look like a line of ours.
        var text = OnOneLine($"{message}{(exception is null ? "" : $": {exception}")}");
        return _underJournald
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
            json.WriteString("message", OnOneLine(message));
            if (state is IReadOnlyList<KeyValuePair<string, object?>> values)
                WriteValues(json, values);
            if (exception is not null)
                json.WriteString("exception", OnOneLine(exception.ToString()));
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
                json.WriteStringValue(value?.ToString() is { } text ? OnOneLine(Shortened(text)) : null);
        }
    }

    private static string OnOneLine(string text) => PrintableText.Of(text.ReplaceLineEndings(" | "), int.MaxValue);

    private static string Shortened(string text) =>
        text.Length <= MaxChars ? text : string.Create(CultureInfo.InvariantCulture, $"{text[..MaxChars]} ... ({text.Length} characters)");

    /// <summary>Digit by digit: what .NET formats dates with is compiled at every start.</summary>
    private string Now()
    {
        var now = _time.GetUtcNow().UtcDateTime;
        Span<char> text = ['0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0', '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0', 'Z'];
        PutNumber(text[..4], now.Year);
        PutNumber(text[5..7], now.Month);
        PutNumber(text[8..10], now.Day);
        PutNumber(text[11..13], now.Hour);
        PutNumber(text[14..16], now.Minute);
        PutNumber(text[17..19], now.Second);
        PutNumber(text[20..23], now.Millisecond);
        return new string(text);
    }

    private static void PutNumber(Span<char> digits, int number)
    {
        for (var i = digits.Length - 1; i >= 0; i--, number /= 10)
            digits[i] = (char)('0' + number % 10);
    }

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
