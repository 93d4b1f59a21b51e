using ImageCriShim.Configuration;

namespace ImageCriShim.Inspection;

/// <summary>A line that names a socket.</summary>
/// <param name="File">Where it really is.</param>
/// <param name="Number">Counted from 1.</param>
/// <param name="Text">The whole line.</param>
/// <param name="Socket">As it stands there.</param>
/// <param name="IsForImages">Only calls about images go there.</param>
internal sealed record EndpointLine(string File, int Number, string Text, string Socket, bool IsForImages)
{
    public string Place => $"{File}:{Number}";

    public Remedy PointTo(string socket) => Remedy.Replace(File, Number, Text.Replace(Socket, Endpoint.Of(socket), StringComparison.Ordinal));
}
