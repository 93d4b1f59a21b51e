using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>
/// The files of the state directory after whatever a disk has done to them: an octet that chooses which one, then what is in it. It is loaded
/// or set aside, what is loaded is within bounds, and what is saved is loaded again.
/// </summary>
public sealed class FuzzingStateFiles : FuzzTarget, IDisposable
{
    private const string Time = "2026-01-01T00:00:00Z";

    private readonly TempDirectory _directory = new(inMemory: true);

    protected override string Name => "state";

    protected override IReadOnlyList<byte[]> Words { get; } = Texts(
        "{\"version\":1,\"pulls\":[", "{\"version\":1,\"missing\":[", "\"version\":2", "\"pulls\":", "\"missing\":", "]}", "}", ",", "null",
        "[]", "{}", "1e999", "99999999999", "\"\"", "\\ud800", "\\u0000", "\"",
        "{\"given\":\"nginx:1\",\"actual\":\"hub.local:5000/library/nginx:1\",\"registry\":\"hub.local:5000\",\"ref\":\"sha256:aa\",\"at\":\"" + Time + "\",\"with\":\"node\"}",
        "\"digest\":\"sha256:" + new string('a', 64) + "\",", "\"with\":\"caller\"", "\"with\":\"none\"", "\"with\":\"unknown\"",
        "\"given\":", "\"actual\":", "\"ref\":", "\"at\":", Time, "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.9999999-14:00", "\"given\":\"" + new string('g', 1025) + "\",",
        "{\"image\":\"docker.io/library/nginx:1\",\"first\":\"" + Time + "\",\"last\":\"" + Time + "\",\"asked\":[\"hub.local/a:1\"]}",
        "\"asked\":[", "\"image\":", "\"first\":", "\"last\":", "\uFEFF", "// no", "é");

    public void Dispose() => _directory.Dispose();

    private protected override string Take(byte[] input)
    {
        var isPulls = input.Length == 0 || input[0] % 4 != 0;
        var (file, other) = isPulls ? ("pulls.json", "missing.json") : ("missing.json", "pulls.json");
        var path = _directory.File(file);
        File.Delete(path + ".unusable");
        File.Delete(_directory.File(other));
        File.WriteAllBytes(path, input.AsSpan(Math.Min(1, input.Length)));

        var log = new CapturingLog();
        var directory = new StateDirectory(_directory.Path, log);
        return isPulls
            ? Load(new StateFile<RecordedPull>(StateJson.Pulls, directory, log), path, log, LoadPulls)
            : Load(new StateFile<MissingImage>(StateJson.Missing, directory, log), path, log, LoadMissing);
    }

    private static string Load<T>(StateFile<T> file, string path, CapturingLog log, Func<IReadOnlyList<T>, IReadOnlyList<T>> begin)
    {
        if (file.Load() is not { } loaded)
        {
            Holds(!File.Exists(path) && File.Exists(path + ".unusable"), "neither loaded nor set aside");
            return $"aside {log.Complaints.Single().Split(':')[^1]}";
        }

        Holds(!log.Complaints.Any(), "loaded with a complaint");
        var kept = begin(loaded);
        Holds(file.TrySave(kept) && file.Load() is { } again && again.SequenceEqual(kept, new ByText<T>()), "saved and loaded is another");
        return $"loaded {Size(loaded.Count)} kept {Size(kept.Count)} {Shape(kept.Count == 0 ? "" : $"{kept[0]}", 30)}";
    }

    private static IReadOnlyList<RecordedPull> LoadPulls(IReadOnlyList<RecordedPull> loaded)
    {
        var record = new PullRecord(loaded);
        Holds(record.All.Count <= PullRecord.MaxPulls && record.All.All(pull => pull.IsReasonable), "without bounds");
        foreach (var pull in record.All)
        {
            Holds(record.Find(pull.Given) == pull, "not found by its name");
            _ = record.Names.OfTag(pull.Actual).Count + record.Names.OfImage(pull.ImageRef).Count + record.RepositoriesOf(pull.Given).Count;
        }

        var all = record.All;
        record.Forget([.. all.Select(pull => pull.Given)]);
        Holds(record.All.Count == 0 && record.Names.IsEmpty, "cannot be forgotten");
        return all;
    }

    private static IReadOnlyList<MissingImage> LoadMissing(IReadOnlyList<MissingImage> loaded)
    {
        var missing = new MissingImages(loaded);
        Holds(missing.All.Count <= MissingImages.MaxImages, "without bounds");
        return missing.All;
    }

    // A list in a record is compared by reference.
    private sealed class ByText<T> : IEqualityComparer<T>
    {
        public bool Equals(T? one, T? other) => Text(one) == Text(other);

        public int GetHashCode(T entry) => 0;

        private static string Text(T? entry) => entry is MissingImage missing
            ? $"{missing with { Asked = [] }} {string.Join('\n', missing.Asked)}" : $"{entry}";
    }
}
