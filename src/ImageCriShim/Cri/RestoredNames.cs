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
/// <param name="writesShortNames">The runtime leaves Docker Hub's host out (<see cref="FamiliarName"/>), and so do we.</param>
/// <param name="asked">What is asked for just now and was found under another name, recorded or not.</param>
internal sealed class RestoredNames(ShownNames mode, GivenNames names, bool writesShortNames = false, FoundName? asked = null)
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
        var contested = images > 1 ? FindContested(response) : [];
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
            WriteImage(fields.Value, contested, image);
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
        var actual = InFull(ProtoMessage.GetString(spec, CriMessages.SpecImage));
        var at = actual.IndexOf('@');
        var given = at < 0
            ? names.OfTag(actual)
            : [.. names.OfRepository(actual.AsSpan(0, at), imageId: []).Select(repository => repository + actual[at..])];
        if (given.Count == 0 || given.Contains(actual))
            return null;
        var specified = Reference.TryParse(ProtoMessage.GetString(spec, userSpecifiedImage), out var wanted) ? wanted.Kept : null;
        var shown = Written(given.FirstOrDefault(name => name == specified) ?? given[0]).ToString();
        spec = ProtoMessage.With(spec, CriMessages.SpecImage, shown);
        return GrpcMessage.Frame(ProtoMessage.With(response, responseStatus, ProtoMessage.With(status, statusImage, spec)));
    }

    private void WriteImage(ReadOnlySpan<byte> image, Dictionary<string, bool> contested, ArrayBufferWriter<byte> into)
    {
        Span<char> id = stackalloc char[MaxNameBytes];
        id = id[..Decode(ProtoMessage.TryFind(image, CriMessages.ImageId, out var found) ? found : default, id)];
        var shown = new ShownNamesOfImage(into);
        for (var fields = new ProtoReader(image); fields.Next();)
        {
            if (IsName(fields))
                WriteName(fields, id, contested, shown);
            else
                into.Write(fields.Whole);
        }
    }

    private void WriteName(ProtoReader field, ReadOnlySpan<char> id, Dictionary<string, bool> contested, ShownNamesOfImage shown)
    {
        ReadOnlySpan<char> actual = Read(field.Value, stackalloc char[FamiliarName.PrefixRoom + MaxNameBytes]);
        var at = actual.IndexOf('@');
        var isShown = false;
        if (at >= 0)
        {
            foreach (var repository in OfRepository(actual[..at], id, actual[at..]))
                isShown |= shown.Add(field.Number, Written(repository), actual[at..]);
        }
        else
        {
            foreach (var name in OfTag(actual))
            {
                if (contested.TryGetValue(name, out var isReal) && !(isReal ? actual.SequenceEqual(name) : names.IsLatest(name, actual)))
                    continue;
                isShown |= shown.Add(field.Number, Written(name), []);
            }
        }

        if (!isShown || mode is ShownNames.Both)
            shown.Add(field.Number, field.Value);
    }

    /// <summary>Whether any name is to be shown as another: in most answers none is.</summary>
    /// <param name="count">How many images there are.</param>
    private bool IsConcerned(ReadOnlySpan<byte> response, out int count)
    {
        Span<char> buffer = stackalloc char[FamiliarName.PrefixRoom + MaxNameBytes];
        var isConcerned = false;
        count = 0;
        for (var images = new ProtoReader(response); images.Next();)
        {
            if (!IsImage(images))
                continue;
            count++;
            for (var fields = new ProtoReader(images.Value); !isConcerned && fields.Next();)
                isConcerned = IsName(fields) && IsConcerned(Read(fields.Value, buffer));
        }

        return isConcerned;
    }

    private bool IsConcerned(ReadOnlySpan<char> name)
    {
        var at = name.IndexOf('@');
        var actual = at < 0 ? name : name[..at];
        var given = at < 0 ? OfTag(actual) : OfRepository(actual, imageId: [], digest: []);
        return given.Count > 1 || (given.Count == 1 && !actual.SequenceEqual(given[0]));
    }

    /// <summary>
    /// Names that several images of a list could be shown by. One is: the image that ImageStatus answers with. That is the one that really has the
    /// name, else the one that was last pulled for it.
    /// </summary>
    /// <returns>With each name whether an image really has it.</returns>
    private Dictionary<string, bool> FindContested(ReadOnlySpan<byte> response)
    {
        var (restored, contested) = (new Dictionary<string, int>(), new Dictionary<string, bool>());
        ForEachTag(response, (image, _, given) =>
        {
            foreach (var name in given)
            {
                if (!restored.TryAdd(name, image) && restored[name] != image)
                    contested[name] = false;
            }
        });
        var lookUp = restored.GetAlternateLookup<ReadOnlySpan<char>>();
        ForEachTag(response, (image, tag, given) =>
        {
            if (!lookUp.TryGetValue(tag, out var name, out var other) || (other == image && !contested.ContainsKey(name)))
                return;
            if (given.Count == 0 || given.Contains(name) || mode is ShownNames.Both) // it is shown as it is
                contested[name] = true;
        });
        return contested;
    }

    /// <param name="look">Is given the number of the image, a tag of it, and what that was asked for by.</param>
    private void ForEachTag(ReadOnlySpan<byte> response, Action<int, ReadOnlySpan<char>, IReadOnlyList<string>> look)
    {
        Span<char> buffer = stackalloc char[FamiliarName.PrefixRoom + MaxNameBytes];
        var number = 0;
        for (var images = new ProtoReader(response); images.Next(); number++)
        {
            if (!IsImage(images))
                continue;
            for (var fields = new ProtoReader(images.Value); fields.Next();)
            {
                if (fields.Number != CriMessages.ImageRepoTags)
                    continue;
                var tag = Read(fields.Value, buffer);
                look(number, tag, OfTag(tag));
            }
        }
    }

    private IReadOnlyList<string> OfTag(ReadOnlySpan<char> actual) =>
        asked?.Tagged is { } tagged && actual.SequenceEqual(asked.Actual) ? With(tagged, names.OfTag(actual)) : names.OfTag(actual);

    private IReadOnlyList<string> OfRepository(ReadOnlySpan<char> actual, ReadOnlySpan<char> imageId, ReadOnlySpan<char> digest) =>
        asked is not null && actual.SequenceEqual(asked.ActualRepository)
            ? With(asked.Repository, names.OfRepository(actual, imageId, digest))
            : names.OfRepository(actual, imageId, digest);

    private static IReadOnlyList<string> With(string asked, IReadOnlyList<string> recorded) => recorded.Contains(asked) ? recorded : [.. recorded, asked];

    /// <summary>A name of the runtime's, in full, as it is recorded.</summary>
    /// <param name="buffer">With room for what is left out.</param>
    private Span<char> Read(ReadOnlySpan<byte> name, Span<char> buffer)
    {
        var whole = buffer[..(FamiliarName.PrefixRoom + Decode(name, buffer[FamiliarName.PrefixRoom..]))];
        return writesShortNames ? FamiliarName.Complete(whole) : whole[FamiliarName.PrefixRoom..];
    }

    private string InFull(string name) => writesShortNames ? FamiliarName.Complete(name) : name;

    /// <summary>A name in full, as the runtime would write it.</summary>
    private ReadOnlySpan<char> Written(string name) => writesShortNames ? FamiliarName.Of(name) : name;

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
    internal bool Add(int field, ReadOnlySpan<char> name, ReadOnlySpan<char> rest)
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
