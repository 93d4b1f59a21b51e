using System.Text.RegularExpressions;

namespace ImageCriShim.Installation;

/// <summary>A place that tells somebody which socket to call.</summary>
/// <param name="Socket">As it stands there.</param>
/// <param name="File">Of the node.</param>
/// <param name="Line">Counted from 1.</param>
internal sealed record ToldSocket(string Socket, string File, int Line)
{
    public static ToldSocket At(TextEdit file, Capture socket) => new(socket.Value, file.Path, file.Text.AsSpan(0, socket.Index).Count('\n') + 1);
}
