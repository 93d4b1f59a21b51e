using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>
/// Shows images under the names that they were asked for, in answers of the runtime. Everything else in them is copied octet by octet.
/// </summary>
/// <param name="mode">How they are to be shown.</param>
/// <param name="names">What was asked for.</param>
/// <param name="asked">What is asked for just now and was found under another name, recorded or not.</param>
internal sealed class RestoredNames(ShownNames mode, GivenNames names, FoundName? asked = null)
{
    private const int MaxNameBytes = 1024; // a reference has a host, 255 characters, a tag or a digest; what is longer is shown as it is

    /// <summary>Nothing can have to be restored.</summary>
    internal bool IsIdle => mode is ShownNames.Actual || (names.IsEmpty && asked is null);

    /// <summary>In an ImageStatusResponse, a ListImagesResponse or a message of StreamImages.</summary>
    /// <returns>The gRPC frame of the whole message; null where nothing changes.</returns>
    /// <exception cref="MalformedMessageException"/>
    internal ReadOnlyMemory<byte>? InImages(ReadOnlySpan<byte> response)
    {
        if (IsIdle || !IsConcerned(response, out var images))
            return null;
        var taken = images > 1 ? FindTaken(response) : [];
        var edited = new ArrayBufferWriter<byte>(GrpcMessage.PrefixBytes + response.Length + response.Length / 8 + 64);
        edited.Write(stackalloc byte[GrpcMessage.PrefixBytes]);
        var image = new ArrayBufferWriter<byte>(1024);
        for (var fields = new ProtoReader(response); fields.Next();)
        {
            if (!IsImage(fields))
            {
                edited.Write(fields.Whole);
                continue;
            }

            image.ResetWrittenCount();
            WriteImage(fields.Value, taken, image);
            ProtoMessage.WriteField(edited, fields.Number, image.WrittenSpan);
        }

        if (edited.WrittenSpan[GrpcMessage.PrefixBytes..].SequenceEqual(response))
            return null;
        BinaryPrimitives.WriteInt32BigEndian(MemoryMarshal.AsMemory(edited.WrittenMemory).Span[1..], edited.WrittenCount - GrpcMessage.PrefixBytes);
        return edited.WrittenMemory;
    }

    /// <summary>In the <c>image.image</c> of a ContainerStatusResponse.</summary>
    /// <returns>The gRPC frame of the whole message; null where nothing changes.</returns>
    /// <exception cref="MalformedMessageException"/>
    internal ReadOnlyMemory<byte>? InContainerStatus(ReadOnlySpan<byte> response)
    {
        const int responseStatus = 1, statusImage = 8, userSpecifiedImage = 18;
        if (IsIdle)
            return null;
        var status = ProtoMessage.GetMessage(response, responseStatus);
        var spec = ProtoMessage.GetMessage(status, statusImage);
        var actual = ProtoMessage.GetString(spec, CriMessages.SpecImage);
        var at = actual.IndexOf('@');
        var given = at < 0
            ? names.OfTag(actual)
            : [.. names.OfRepository(actual.AsSpan(0, at), imageId: []).Select(repository => repository + actual[at..])];
        if (given.Count == 0 || given.Contains(actual))
            return null;
        var specified = Reference.TryParse(ProtoMessage.GetString(spec, userSpecifiedImage), out var wanted) ? wanted.Kept : null;
        spec = ProtoMessage.With(spec, CriMessages.SpecImage, given.FirstOrDefault(name => name == specified) ?? given[0]);
        return GrpcMessage.Frame(ProtoMessage.With(response, responseStatus, ProtoMessage.With(status, statusImage, spec)));
    }

    private void WriteImage(ReadOnlySpan<byte> image, HashSet<string> taken, ArrayBufferWriter<byte> into)
    {
        Span<char> id = stackalloc char[MaxNameBytes];
        id = id[..Decode(ProtoMessage.TryFind(image, CriMessages.ImageId, out var found) ? found : default, id)];
        var shown = new ShownNamesOfImage(into);
        for (var fields = new ProtoReader(image); fields.Next();)
        {
            if (IsName(fields))
                WriteName(fields, id, taken, shown);
            else
                into.Write(fields.Whole);
        }
    }

    private void WriteName(ProtoReader field, ReadOnlySpan<char> id, HashSet<string> taken, ShownNamesOfImage shown)
    {
        Span<char> actual = stackalloc char[MaxNameBytes];
        actual = actual[..Decode(field.Value, actual)];
        var at = actual.IndexOf('@');
        var isShown = false;
        if (at >= 0)
        {
            foreach (var repository in OfRepository(actual[..at], id))
                isShown |= shown.Add(field.Number, repository, actual[at..]);
        }
        else
        {
            foreach (var name in OfTag(actual))
                isShown |= !taken.Contains(name) && shown.Add(field.Number, name, []);
        }

        if (!isShown || mode is ShownNames.Both)
            shown.Add(field.Number, field.Value);
    }

    /// <summary>Whether any name is to be shown as another: in most answers none is.</summary>
    /// <param name="count">How many images there are.</param>
    private bool IsConcerned(ReadOnlySpan<byte> response, out int count)
    {
        Span<char> buffer = stackalloc char[MaxNameBytes];
        var isConcerned = false;
        count = 0;
        for (var images = new ProtoReader(response); images.Next();)
        {
            if (!IsImage(images))
                continue;
            count++;
            for (var fields = new ProtoReader(images.Value); !isConcerned && fields.Next();)
                isConcerned = IsName(fields) && IsConcerned(buffer[..Decode(fields.Value, buffer)]);
        }

        return isConcerned;
    }

    private bool IsConcerned(ReadOnlySpan<char> name)
    {
        var at = name.IndexOf('@');
        var actual = at < 0 ? name : name[..at];
        var given = at < 0 ? OfTag(actual) : OfRepository(actual, imageId: []);
        return given.Count > 1 || (given.Count == 1 && !actual.SequenceEqual(given[0]));
    }

    /// <summary>Names that an image of a list really has: they are not shown on another one, whatever was asked for once.</summary>
    private HashSet<string> FindTaken(ReadOnlySpan<byte> response)
    {
        var (restored, taken) = (new Dictionary<string, int>(), new HashSet<string>());
        ForEachTag(response, (image, _, given) =>
        {
            foreach (var name in given)
                restored[name] = image;
        });
        var lookUp = restored.GetAlternateLookup<ReadOnlySpan<char>>();
        ForEachTag(response, (image, tag, given) =>
        {
            if (given.Count == 0 && lookUp.TryGetValue(tag, out var name, out var other) && other != image)
                taken.Add(name);
        });
        return taken;
    }

    /// <param name="look">Is given the number of the image, a tag of it, and what that was asked for by.</param>
    private void ForEachTag(ReadOnlySpan<byte> response, Action<int, ReadOnlySpan<char>, IReadOnlyList<string>> look)
    {
        Span<char> buffer = stackalloc char[MaxNameBytes];
        var number = 0;
        for (var images = new ProtoReader(response); images.Next(); number++)
        {
            if (!IsImage(images))
                continue;
            for (var fields = new ProtoReader(images.Value); fields.Next();)
            {
                if (fields.Number != CriMessages.ImageRepoTags)
                    continue;
                var tag = buffer[..Decode(fields.Value, buffer)];
                look(number, tag, OfTag(tag));
            }
        }
    }

    private IReadOnlyList<string> OfTag(ReadOnlySpan<char> actual) =>
        asked?.Tagged is { } tagged && actual.SequenceEqual(asked.Actual) ? With(tagged, names.OfTag(actual)) : names.OfTag(actual);

    private IReadOnlyList<string> OfRepository(ReadOnlySpan<char> actual, ReadOnlySpan<char> imageId) =>
        asked is not null && actual.SequenceEqual(asked.ActualRepository)
            ? With(asked.Repository, names.OfRepository(actual, imageId))
            : names.OfRepository(actual, imageId);

    private static IReadOnlyList<string> With(string asked, IReadOnlyList<string> recorded) => recorded.Contains(asked) ? recorded : [.. recorded, asked];

    private static bool IsName(ProtoReader field) =>
        field.Number is CriMessages.ImageRepoTags or CriMessages.ImageRepoDigests && field.WireType == ProtoMessage.LengthDelimited;

    private static bool IsImage(ProtoReader field) => field.Number == CriMessages.ResponseImage && field.WireType == ProtoMessage.LengthDelimited;

    private static int Decode(ReadOnlySpan<byte> name, Span<char> into) => name.Length <= into.Length ? Encoding.UTF8.GetChars(name, into) : 0;
}

/// <summary>An image that was found on the node by another name than was asked for.</summary>
/// <param name="actual">By which name.</param>
/// <param name="given">What was asked for.</param>
internal sealed class FoundName(Reference actual, Reference given)
{
    internal string Actual { get; } = actual.Kept;

    internal string ActualRepository { get; } = actual.Name;

    /// <summary>What a name with a tag is shown as; null where only a digest was given.</summary>
    internal string? Tagged { get; } = given.Tagged;

    internal string Repository { get; } = given.Name;
}

/// <summary>What one image is shown as: each name once.</summary>
internal sealed class ShownNamesOfImage(ArrayBufferWriter<byte> into)
{
    private readonly List<(int Field, int Start, int Length)> _names = [];

    /// <returns>True: it is there, now or already.</returns>
    internal bool Add(int field, string name, ReadOnlySpan<char> rest)
    {
        Span<byte> octets = stackalloc byte[(name.Length + rest.Length) * 3]; // both are bounded, and ASCII
        var length = Encoding.UTF8.GetBytes(name, octets);
        length += Encoding.UTF8.GetBytes(rest, octets[length..]);
        Add(field, octets[..length]);
        return true;
    }

    internal void Add(int field, ReadOnlySpan<byte> name)
    {
        foreach (var (known, start, length) in _names)
        {
            if (known == field && into.WrittenSpan.Slice(start, length).SequenceEqual(name))
                return;
        }

        ProtoMessage.WriteField(into, field, name);
        _names.Add((field, into.WrittenCount - name.Length, name.Length));
    }
}
