using System.Text.RegularExpressions;
using ImageCriShim.Configuration;

namespace ImageCriShim.Installation;

/// <summary>Finds a socket's path as a value in any text: flags, variables, YAML, JSON. Comments do not count.</summary>
internal static class SocketText
{
    public static bool Names(string text, IEnumerable<string> sockets) => sockets.Any(socket => Matches(text, socket).Any());

    /// <summary>The same text with another socket wherever one of these stands.</summary>
    public static string Replace(string text, IEnumerable<string> sockets, string other)
    {
        foreach (var socket in sockets)
            text = Pattern(socket).Replace(text, match => FlagText.IsComment(text, match.Index) ? match.Value : Endpoint.Of(other));
        return text;
    }

    private static IEnumerable<Match> Matches(string text, string socket) =>
        Pattern(socket).Matches(text).Where(match => !FlagText.IsComment(text, match.Index));

    // As AreSame compares them.
    private static Regex Pattern(string socket)
    {
        var path = Endpoint.PathOf(socket);
        var run = path.StartsWith("/var/run/", StringComparison.Ordinal) ? path["/var".Length..] : path;
        var either = run.StartsWith("/run/", StringComparison.Ordinal) ? $"(?:/var)?{Regex.Escape(run)}" : Regex.Escape(run);
        return new Regex($"""(?<![\w./-])(?:unix:(?://)?)?{either}(?![\w./-])""");
    }
}
