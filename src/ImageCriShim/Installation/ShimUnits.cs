using System.Text;
using System.Text.RegularExpressions;
using ImageCriShim.Configuration;

namespace ImageCriShim.Installation;

/// <summary>Our units, and the links by which systemd starts them with the node.</summary>
internal sealed partial class ShimUnits(NodeFiles files)
{
    private static readonly (string Unit, string Target)[] s_units =
    [
        (Packaged.Service, "multi-user.target"),
        (Packaged.Socket, "sockets.target"),
    ];

    /// <param name="socket">Where callers call, which systemd is to listen at.</param>
    public IEnumerable<FileChange> Changes(string socket)
    {
        foreach (var (unit, target) in s_units)
        {
            var text = TextOf(unit, socket);
            var place = PlaceOf(unit, text);
            if (!SystemdUnits.IsOfAPackage(place))
                yield return Write(place, text);
            var link = files.ResolveParent($"{SystemdUnits.Own}/{target}.wants/{unit}");
            if (files.Read(link).IsAbsent)
                yield return new FileChange(link, FileState.Absent, FileState.LinkTo(place), ChangeOf.Shim);
        }
    }

    /// <summary>The socket that systemd makes for us, and leaves there when it is told to stop; null where there is none.</summary>
    public string? FindSocket() =>
        new SystemdUnits(files).Find(Packaged.Socket) is { } unit && ListenStream().Match(TextEdit.Read(files, unit).Text) is { Success: true } found
            && files.Resolve(found.Groups[1].Value) is var socket && files.Identify(socket) is { IsSocket: true } ? socket : null;

    /// <summary>A package's unit stays where it is, if it is the same and the operator has none of his own.</summary>
    private string PlaceOf(string unit, string text)
    {
        var own = $"{SystemdUnits.Own}/{unit}";
        var packaged = SystemdUnits.OfPackages.Select(directory => $"{directory}/{unit}").FirstOrDefault(files.HasFile);
        return packaged is not null && !files.HasFile(own) && TextEdit.Read(files, packaged).Text == TextEdit.TextOf(Encoding.UTF8.GetBytes(text)) ? packaged : own;
    }

    private FileChange Write(string place, string text)
    {
        var path = files.Resolve(place);
        var before = files.Read(path);
        var content = Encoding.UTF8.GetBytes(text);
        return new FileChange(path, before, before.IsAbsent ? FileState.File(content, FileState.Public) : before.With(content), ChangeOf.Shim);
    }

    private static string TextOf(string unit, string socket) => ListenStream().Replace(
        Packaged.Read(unit), match => Endpoint.AreSame(match.Groups[1].Value, socket) ? match.Value : $"ListenStream={socket}");

    [GeneratedRegex("^ListenStream=(.*)$", RegexOptions.Multiline)]
    private static partial Regex ListenStream();
}
