using System.Text.RegularExpressions;
using ImageCriShim.Configuration;

namespace ImageCriShim.Inspection;

/// <summary>Does crictl call the shim? Who looks at a node with it should see what kubelet sees.</summary>
internal static partial class CrictlLook
{
    private const string What = "crictl";
    private const string ConfigFile = "/etc/crictl.yaml";

    public static IEnumerable<Finding> Look(NodeRoot root, string shim)
    {
        var endpoint = Endpoint.Of(shim);
        if (root.Read(ConfigFile) is not { } text)
            return [Finding.Problem(What, $"has no {root.At(ConfigFile)}, so it does not call the shim", Remedy.Write(root.At(ConfigFile), $"runtime-endpoint: {endpoint}\nimage-endpoint: {endpoint}"))];
        EndpointLine[] lines = [.. Lines(root.At(ConfigFile), text)];
        var wrong = lines.Where(line => !Endpoint.AreSame(line.Socket, shim)).ToList();
        if (wrong.Count > 0)
            return wrong.Select(line => Finding.Problem(What, $"{(line.IsForImages ? "asks for images at" : "calls")} {line.Socket}, not the shim ({line.Place})", line.PointTo(shim)));
        return lines.Any(line => !line.IsForImages)
            ? [Finding.Ok(What, $"calls the shim ({lines[0].File})")]
            : [Finding.Problem(What, $"is told of no socket in {root.At(ConfigFile)}, so it does not call the shim", Remedy.AddBehind(root.At(ConfigFile), 0, $"runtime-endpoint: {endpoint}"))];
    }

    private static IEnumerable<EndpointLine> Lines(string file, string text)
    {
        var lines = text.Split('\n');
        for (var number = 1; number <= lines.Length; number++)
        {
            var line = lines[number - 1].TrimEnd('\r');
            if (Key().Match(line) is { Success: true } match)
                yield return new EndpointLine(file, number, line, match.Groups["socket"].Value, match.Groups["key"].Value == "image");
        }
    }

    // An empty one is as if it were not there.
    [GeneratedRegex(@"^\s*[""']?(?<key>runtime|image)-endpoint[""']?\s*:\s*[""']?(?<socket>[^\s""'#]+)")]
    private static partial Regex Key();
}
