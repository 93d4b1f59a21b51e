using System.Text;

namespace ImageCriShim.Metrics;

/// <summary>
/// How the calls of callers ended, forwarded or edited, by method and gRPC code. The relay counts each call here, so what it does for one is a
/// look-up without a lock and one addition.
/// </summary>
internal sealed class CallCounts() : Instrument("calls_total", "counter", "Calls of callers that have ended, by method and gRPC code.")
{
    // CRI has some fifty methods, in two versions; callers may name any other.
    internal const int MaxMethods = 256;

    internal const int MaxPathBytes = 256;

    private const int Buckets = 512; // twice as many as methods: hardly two share one

    private readonly CallCount?[] _methods = new CallCount?[Buckets];
    private readonly CallCount _other = new("other"u8);
    private int _count;

    /// <param name="path">Of the request: <c>/service/method</c>.</param>
    internal CallCount Of(ReadOnlySpan<byte> path)
    {
        ref var bucket = ref _methods[Hash(path) % Buckets];
        var first = Volatile.Read(ref bucket);
        return Find(first, path) ?? Add(ref bucket, path);
    }

    internal override void Write(PrometheusText text)
    {
        var all = _methods.SelectMany(InBucket).Append(_other).Select(count => (Method: Encoding.UTF8.GetString(count.Path).TrimStart('/'), Count: count));
        foreach (var (method, count) in all.OrderBy(one => one.Method, StringComparer.Ordinal))
            count.Write(text, Name, method);
    }

    private CallCount Add(ref CallCount? bucket, ReadOnlySpan<byte> path)
    {
        if (path.Length is 0 or > MaxPathBytes || path.IndexOfAnyExceptInRange((byte)'!', (byte)'~') >= 0)
            return _other; // no method of gRPC has such a name
        if (Interlocked.Increment(ref _count) > MaxMethods)
        {
            Interlocked.Decrement(ref _count);
            return _other;
        }

        while (true)
        {
            var first = Volatile.Read(ref bucket);
            if (Find(first, path) is { } known)
            {
                Interlocked.Decrement(ref _count);
                return known; // another thread was quicker
            }

            var made = new CallCount(path) { Next = first };
            if (Interlocked.CompareExchange(ref bucket, made, first) == first)
                return made;
        }
    }

    private static CallCount? Find(CallCount? first, ReadOnlySpan<byte> path)
    {
        for (var count = first; count is not null; count = count.Next)
        {
            if (path.SequenceEqual(count.Path))
                return count;
        }

        return null;
    }

    private static IEnumerable<CallCount> InBucket(CallCount? first)
    {
        for (var count = first; count is not null; count = count.Next)
            yield return count;
    }

    /// <summary>FNV-1a of its end, in which methods differ.</summary>
    private static uint Hash(ReadOnlySpan<byte> path)
    {
        const int enough = 12;
        var hash = 2166136261u ^ (uint)path.Length;
        foreach (var octet in path[Math.Max(0, path.Length - enough)..])
            hash = (hash ^ octet) * 16777619;
        return hash;
    }
}

/// <summary>Of one method.</summary>
internal sealed class CallCount(ReadOnlySpan<byte> path)
{
    private const int Unknown = 2;

    // grpc.github.io/grpc/core/md_doc_statuscodes.html, by their numbers.
    private static readonly string[] s_codes =
    [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ];

    private readonly long[] _byCode = new long[s_codes.Length];

    internal byte[] Path { get; } = path.ToArray();

    /// <summary>The method alone, such as <c>PullImage</c>.</summary>
    internal string Name => Encoding.UTF8.GetString(Path.AsSpan()[(Path.AsSpan().LastIndexOf((byte)'/') + 1)..]);

    internal CallCount? Next { get; init; }

    /// <param name="code">gRPC's number of it; one that does not exist is UNKNOWN.</param>
    internal void Add(int code) => Interlocked.Increment(ref _byCode[(uint)code < (uint)s_codes.Length ? code : Unknown]);

    internal void Write(PrometheusText text, string name, string method)
    {
        for (var code = 0; code < s_codes.Length; code++)
        {
            if (Volatile.Read(ref _byCode[code]) is > 0 and var count)
                text.Line(name, PrometheusText.FormatLabels(["method", "code"], method, s_codes[code]), count);
        }
    }
}
