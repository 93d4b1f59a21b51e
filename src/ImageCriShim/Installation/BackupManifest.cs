using System.Globalization;
using System.Text.Json;

namespace ImageCriShim.Installation;

/// <summary>The manifest of a backup: JSON, with the contents in files beside it that are named by what is in them.</summary>
internal static class BackupManifest
{
    private const int Version = 1;

    /// <param name="contents">Is given the files that the manifest names.</param>
    public static byte[] Write(Backup backup, List<(string Name, byte[] Content)> contents)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteString("runtime", backup.Runtime);
            json.WriteString("shim", backup.Shim);
            WriteList(json, "pending", backup.Pending);
            WriteList(json, "directories", backup.Directories);
            json.WriteStartArray("files");
            foreach (var entry in backup.Entries)
                Write(json, entry, contents);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return text.ToArray();
    }

    /// <param name="backup">Is given what the manifest says.</param>
    /// <param name="contentOf">Reads one of the files beside it.</param>
    /// <exception cref="InstallException"/>
    public static void Read(byte[] manifest, Backup backup, Func<string, byte[]> contentOf)
    {
        try
        {
            using var json = JsonDocument.Parse(manifest);
            var root = json.RootElement;
            if (root.GetProperty("version").GetInt32() != Version)
                throw new InstallException($"{Backup.Place} was written by a later release; use that one");
            (backup.Runtime, backup.Shim) = (Added(root, "runtime"), Added(root, "shim"));
            backup.Pending.AddRange(root.GetProperty("pending").EnumerateArray().Select(item => item.GetString()!));
            backup.Directories.AddRange(root.GetProperty("directories").EnumerateArray().Select(item => PathOf(item.GetString())));
            backup.Entries.AddRange(root.GetProperty("files").EnumerateArray().Select(file => ReadEntry(file, contentOf)));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InstallException($"{Backup.Place}/manifest.json cannot be understood; restore it, or undo the installation by hand from the files beside it");
        }
    }

    private static void Write(Utf8JsonWriter json, BackupEntry entry, List<(string Name, byte[] Content)> contents)
    {
        json.WriteStartObject();
        json.WriteString("path", entry.Path);
        json.WriteString("part", NameOf(entry.Part));
        var before = entry.Before;
        json.WriteString("before", before.Content is null ? null : Keep(before.Content));
        json.WriteString("beforeLink", before.Link);
        if (before.Content is not null)
        {
            json.WriteNumber("mode", (int)before.Mode);
            json.WriteNumber("user", before.Owner?.User ?? 0);
            json.WriteNumber("group", before.Owner?.Group ?? 0);
            json.WriteString("modified", before.Modified?.ToString("O", CultureInfo.InvariantCulture));
        }

        json.WriteString("after", entry.AfterFingerprint);
        json.WriteString("afterContent", entry.AfterContent is null ? null : Keep(entry.AfterContent));
        json.WriteEndObject();

        string Keep(byte[] content)
        {
            var name = FileState.File(content, 0).Fingerprint;
            if (!contents.Exists(file => file.Name == name))
                contents.Add((name, content));
            return name;
        }
    }

    private static BackupEntry ReadEntry(JsonElement file, Func<string, byte[]> contentOf)
    {
        var before = Text(file, "before") is not { } name ? new FileState { Link = Text(file, "beforeLink") } : new FileState
        {
            Content = ContentOf(name, contentOf),
            Mode = (UnixFileMode)file.GetProperty("mode").GetInt32() & FileState.Rights,
            Owner = (file.GetProperty("user").GetUInt32(), file.GetProperty("group").GetUInt32()),
            Modified = Text(file, "modified") is { } time ? DateTime.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind) : null,
        };
        return new BackupEntry(
            PathOf(Text(file, "path")),
            PartOf(Text(file, "part")),
            before,
            Text(file, "after")!,
            Text(file, "afterContent") is { } after ? ContentOf(after, contentOf) : null);
    }

    /// <summary>An image may come from anybody: a path that we would not have written down is none.</summary>
    private static string PathOf(string? path) =>
        path is ['/', _, ..] && !path.Contains('\0') && path[1..].Split('/').All(name => name is not ("" or "." or ".."))
            ? path
            : throw new FormatException();

    /// <summary>A file beside the manifest, whose name is the hash of what is in it.</summary>
    private static byte[] ContentOf(string name, Func<string, byte[]> contentOf)
    {
        if (name.Length != FileState.HashLength || !name.All(char.IsAsciiHexDigitLower))
            throw new FormatException();
        var content = contentOf(name);
        return FileState.File(content, 0).Fingerprint == name ? content : throw new FormatException();
    }

    private static string? Text(JsonElement file, string key) => file.GetProperty(key).GetString();

    /// <summary>A key that older releases do not write.</summary>
    private static string? Added(JsonElement root, string key) => root.TryGetProperty(key, out var value) ? value.GetString() : null;

    private static string NameOf(ChangeOf part) => part switch
    {
        ChangeOf.Shim => "shim",
        ChangeOf.Kubelet => "kubelet",
        _ => "crictl",
    };

    private static ChangeOf PartOf(string? name) => name switch
    {
        "shim" => ChangeOf.Shim,
        "kubelet" => ChangeOf.Kubelet,
        "crictl" => ChangeOf.Crictl,
        _ => throw new FormatException(),
    };

    private static void WriteList(Utf8JsonWriter json, string key, List<string> items)
    {
        json.WriteStartArray(key);
        foreach (var item in items)
            json.WriteStringValue(item);
        json.WriteEndArray();
    }
}
