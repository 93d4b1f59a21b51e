using System.Security.Cryptography;

namespace ImageCriShim.Installation;

/// <summary>What stands at a path: a file, a link, or nothing.</summary>
internal sealed record FileState
{
    private const UnixFileMode Everybody = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>A file that all may read and its owner may write.</summary>
    public const UnixFileMode Public = Everybody | UnixFileMode.UserWrite;

    /// <summary>A file for its owner alone.</summary>
    public const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public const UnixFileMode Program = Public | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>All that a file may have; not what makes it run as its owner.</summary>
    public const UnixFileMode Rights = (UnixFileMode)0b111_111_111;

    /// <summary>Of <see cref="Fingerprint"/>, where there is a content: SHA-256 in hex.</summary>
    public const int HashLength = 64;

    public static readonly FileState Absent = new();

    /// <summary>Null for a link, and where there is nothing.</summary>
    public byte[]? Content { get; init; }

    /// <summary>The content as a text, without a mark of its encoding at the beginning.</summary>
    public string? Text
    {
        get
        {
            if (Content is null)
                return null;
            using var reader = new StreamReader(new MemoryStream(Content));
            return reader.ReadToEnd();
        }
    }

    /// <summary>What a link says; null where there is none.</summary>
    public string? Link { get; init; }
    public UnixFileMode Mode { get; init; }

    /// <summary>Null: whoever makes it.</summary>
    public (uint User, uint Group)? Owner { get; init; }

    /// <summary>When it was written; null: now.</summary>
    public DateTime? Modified { get; init; }

    public bool IsAbsent => Content is null && Link is null;

    /// <summary>By which it is known again; the same for two files of the same content, whoever owns them.</summary>
    public string Fingerprint => Content is null ? Link is null ? "absent" : $"link {Link}" : Convert.ToHexStringLower(SHA256.HashData(Content));

    public static FileState File(byte[] content, UnixFileMode mode) => new() { Content = content, Mode = mode };

    public static FileState LinkTo(string target) => new() { Link = target };

    /// <summary>The same file with another content.</summary>
    public FileState With(byte[] content) => this with { Content = content, Modified = null };
}
