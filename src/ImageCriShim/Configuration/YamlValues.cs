using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using ImageCriShim.Images;
using ImageCriShim.Registries;
using YamlDotNet.RepresentationModel;

namespace ImageCriShim.Configuration;

/// <summary>
/// The values that a config file holds, checked as they are read. A value that is wrong is reported and its default used, so
/// that reading goes on to the next problem.
/// </summary>
internal static class YamlValues
{
    private const int MaxSocketPath = 107; // sun_path holds 108 bytes with the terminating zero (unix(7))

    public static bool Flag(this YamlMap map, string key, bool byDefault = false)
    {
        const string Allowed = "true or false";
        var text = map.Text(key, Allowed);
        switch (text?.ToLowerInvariant())
        {
            case null:
                return byDefault;
            case "false" or "no" or "off": // YAML 1.1, which Go's parser speaks
                return false;
            case "true" or "yes" or "on":
                return true;
            default:
                map.Refuse(key, text, $"is neither true nor false; use {Allowed}");
                return byDefault;
        }
    }

    /// <summary>Null where absent.</summary>
    public static int? Number(this YamlMap map, string key, string allowed)
    {
        var text = map.Text(key, allowed);
        if (text is null)
            return null;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            return number;
        map.Refuse(key, text, $"is not a whole number; use {allowed}");
        return null;
    }

    /// <summary>Zero means the default, as it did in the Go shim; so does less, with a warning.</summary>
    public static TimeSpan Duration(this YamlMap map, string key, TimeSpan byDefault)
    {
        var text = map.Text(key, GoDuration.Allowed);
        if (text is null)
            return byDefault;
        if (!GoDuration.TryParse(text, out var duration))
            map.Refuse(key, text, $"is not a duration; use {GoDuration.Allowed}");
        else if (duration < TimeSpan.Zero)
            map.Warning(key, $"{text} is less than nothing; the default is used");
        return duration > TimeSpan.Zero ? duration : byDefault;
    }

    /// <summary>An IP address and a port; <c>off</c>, which is null.</summary>
    public static IPEndPoint? ListenAddress(this YamlMap map, string key, IPEndPoint? byDefault)
    {
        const string Allowed = "an IP address and a port, such as 127.0.0.1:9464, [::1]:9464 or 0.0.0.0:9464, or off";
        var text = map.Text(key, Allowed);
        if (string.IsNullOrEmpty(text))
            return byDefault;
        if (text == "off")
            return null;
        // Without a port it is one of 0; a lone number would be an address.
        if (IPEndPoint.TryParse(text, out var address) && address.Port > 0 && text.Contains(':', StringComparison.Ordinal))
            return address;
        map.Refuse(key, text, $"is not an address to listen on; use {Allowed}");
        return byDefault;
    }

    /// <summary>A socket's path, <c>unix://</c> in front allowed; null where absent.</summary>
    public static string? SocketPath(this YamlMap map, string key)
    {
        const string Allowed = "an absolute path, with or without unix:// in front";
        const string Scheme = "unix://";
        var text = map.Text(key, Allowed);
        if (string.IsNullOrEmpty(text))
            return null;
        var path = text.StartsWith(Scheme, StringComparison.Ordinal) ? text[Scheme.Length..] : text;
        if (!IsAbsolutePath(path))
            map.Refuse(key, text, $"is not the path of a socket; use {Allowed}");
        else if (System.Text.Encoding.UTF8.GetByteCount(path) > MaxSocketPath)
            map.Problem(key, $"the path is longer than a socket's may be; use at most {MaxSocketPath} bytes");
        return path;
    }

    /// <summary>YAML can write a zero (<c>"\0"</c>), and no path can hold one.</summary>
    public static bool IsAbsolutePath(string text) => Path.IsPathRooted(text) && !text.Contains('\0');

    public static ImmutableArray<ImagePattern> Patterns(this YamlMap map, string key)
    {
        const string Allowed = $"a list of patterns, each {ImagePattern.Allowed}";
        var patterns = ImmutableArray.CreateBuilder<ImagePattern>();
        var entries = map.List(key, Allowed);
        for (var index = 0; index < entries.Count; index++)
        {
            var text = (entries[index] as YamlScalarNode)?.Value ?? "this";
            if (SecretKeys.FindWithin(text) is not null)
                text = "this"; // not to be shown
            if (ImagePattern.TryParse(text, out var pattern))
                patterns.Add(pattern);
            else
                map.ReportOf(key).Problem($"{map.PathOf(key)}[{index}]", entries[index].Start.Line, $"{QuotedValue.Of(text)} is not a pattern; use {ImagePattern.Allowed}");
        }
        return patterns.ToImmutable();
    }
}
