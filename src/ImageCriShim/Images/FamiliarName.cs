namespace ImageCriShim.Images;

/// <summary>
/// Names as docker writes them, FamiliarName of distribution/reference: without the host where that is Docker Hub, and there without
/// <c>library/</c>. <c>docker.io/library/nginx:1.25</c> is <c>nginx:1.25</c>.
/// </summary>
internal static class FamiliarName
{
    private const string Hub = Reference.DockerHub + "/";
    private const string Library = "library/";

    /// <summary>How much longer than the familiar name the one in full may be.</summary>
    public const int PrefixRoom = 18; // docker.io/library/

    /// <param name="name">In full, with or without tag and digest.</param>
    public static ReadOnlySpan<char> Of(ReadOnlySpan<char> name)
    {
        if (!name.StartsWith(Hub, StringComparison.Ordinal))
            return name;
        var path = name[Hub.Length..];
        return path.StartsWith(Library, StringComparison.Ordinal) && path[Library.Length..].IndexOf('/') < 0 ? path[Library.Length..] : path;
    }

    /// <param name="name">As docker writes it, behind <see cref="PrefixRoom"/> characters that are free.</param>
    /// <returns>The name in full, in the same memory.</returns>
    public static Span<char> Complete(Span<char> name)
    {
        var written = name[PrefixRoom..];
        var slash = written.IndexOf('/');
        if (written.IsEmpty || (slash >= 0 && Reference.IsHost(written[..slash])))
            return written;
        var prefix = slash < 0 ? Hub + Library : Hub;
        name = name[(PrefixRoom - prefix.Length)..];
        prefix.CopyTo(name);
        return name;
    }

    /// <inheritdoc cref="Complete(Span{char})"/>
    public static string Complete(string name)
    {
        var whole = new char[PrefixRoom + name.Length];
        name.CopyTo(whole.AsSpan(PrefixRoom));
        return new string(Complete(whole.AsSpan()));
    }
}
