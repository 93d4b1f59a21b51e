using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>
/// Something that octets from outside come to, and what must hold whatever they are. A finding becomes a file in <c>corpus/</c>, which is taken
/// with every fast test from then on.
/// </summary>
public abstract partial class FuzzTarget
{
    private const string Minutes = "IMAGE_CRI_SHIM_FUZZ_MINUTES"; // of each target
    private const string Seed = "IMAGE_CRI_SHIM_FUZZ_SEED"; // of a finding, to see it again
    private const int MaxLastBytes = 1024 * 1024;

    private static readonly TimeSpan s_hangs = TimeSpan.FromMinutes(2); // for one input; there are thousands in a second

    private static string Findings => Path.Combine(Repository.Root, "artifacts/fuzz");

    /// <summary>The folder of its corpus.</summary>
    protected abstract string Name { get; }

    /// <summary>What its inputs are made of.</summary>
    protected abstract IReadOnlyList<byte[]> Words { get; }

    [Fact]
    public void The_corpus_keeps_the_promises()
    {
        foreach (var path in CorpusFile.All(Name))
        {
            try
            {
                Take(CorpusFile.Read(path));
            }
            catch (Exception e)
            {
                throw new InvalidOperationException(path, e);
            }
        }
    }

    [Fact]
    [Trait("suite", "slow")]
    public async Task Mutations_of_the_corpus_keep_the_promises()
    {
        Directory.CreateDirectory(Findings);
        var seed = int.TryParse(Environment.GetEnvironmentVariable(Seed), out var given) ? given : Random.Shared.Next();
        var minutes = double.TryParse(Environment.GetEnvironmentVariable(Minutes), out var wanted) ? wanted : 1;
        using var last = new LastInput(Path.Combine(Findings, $"{Name}.last"));
        var fuzzer = new Fuzzer(Take, Mutate, [.. CorpusFile.All(Name).Select(CorpusFile.Read)], Words, seed) { Begins = last.Write };
        try
        {
            await Finish(Task.Factory.StartNew(() => fuzzer.Run(TimeSpan.FromMinutes(minutes)), TaskCreationOptions.LongRunning), fuzzer);
        }
        catch (FuzzFinding finding)
        {
            var file = Path.Combine(Findings, $"{Name}-{seed}.input");
            await File.WriteAllBytesAsync(file, finding.Input, TestContext.Current.CancellationToken);
            throw new InvalidOperationException($"this goes into Fuzzing/corpus/{Name} with what repairs it ({file}), {finding.Message}");
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{Name}: seed {seed}, {fuzzer.Taken} inputs, {fuzzer.Behaviours} behaviours");
    }

    /// <summary>Takes one input.</summary>
    /// <returns>What became of it, in few words: an input with others is worth more mutations.</returns>
    /// <exception cref="Exception">A promise is broken.</exception>
    private protected abstract string Take(byte[] input);

    private protected virtual byte[] Mutate(Mutator mutator, byte[] input, byte[] other) => mutator.Mutate(input, other);

    private protected static byte[][] Texts(params string[] words) => [.. words.Select(Encoding.UTF8.GetBytes)];

    private protected static void Holds(bool promise, string what, [CallerArgumentExpression(nameof(promise))] string? how = null)
    {
        if (!promise)
            throw new BrokenPromiseException($"{what} ({how})");
    }

    /// <summary>A message without what differs from input to input.</summary>
    private protected static string Template(string message) => Numbers().Replace(message, "N");

    /// <summary>0, 1, 2, then by powers of two.</summary>
    private protected static int Size(long count) => count < 3 ? (int)count : 2 + (int)Math.Log2(count);

    /// <summary>A text with runs of the same kind of characters as one.</summary>
    private protected static string Shape(string text, int most = 24)
    {
        var shape = new StringBuilder();
        foreach (var c in text)
        {
            var kind = char.IsAsciiLetterLower(c) ? 'a' : char.IsAsciiLetterUpper(c) ? 'A' : char.IsAsciiDigit(c)
                ? '0' : c is > ' ' and < '\x7F' ? c : '?';
            if (shape.Length == most)
                break;
            if (shape.Length == 0 || shape[^1] != kind)
                shape.Append(kind);
        }

        return shape.ToString();
    }

    private static async Task Finish(Task running, Fuzzer fuzzer)
    {
        var (seen, since) = (fuzzer.Current, TimeProvider.System.GetTimestamp());
        while (await Task.WhenAny(running, Task.Delay(1000)) != running)
        {
            if (!ReferenceEquals(seen, fuzzer.Current))
                (seen, since) = (fuzzer.Current, TimeProvider.System.GetTimestamp());
            else if (TimeProvider.System.GetElapsedTime(since) > s_hangs)
                throw new TimeoutException($"one input takes for ever: {CorpusFile.Print(seen)}");
        }

        await running;
    }

    [GeneratedRegex(@"\d+")]
    private static partial Regex Numbers();

    /// <summary>What was being taken when the process died, as it does when a stack overflows: nobody is left to tell.</summary>
    private sealed class LastInput(string path) : IDisposable
    {
        private readonly MemoryMappedFile _file = MemoryMappedFile.CreateFromFile(path, FileMode.Create, null, sizeof(int) + MaxLastBytes);
        private MemoryMappedViewAccessor? _view;

        internal void Write(byte[] input)
        {
            _view ??= _file.CreateViewAccessor();
            var length = Math.Min(input.Length, MaxLastBytes);
            _view.Write(0, length);
            _view.WriteArray(sizeof(int), input, 0, length);
        }

        public void Dispose()
        {
            _view?.Dispose();
            _file.Dispose();
            File.Delete(path);
        }
    }
}

/// <summary>What must hold did not.</summary>
internal sealed class BrokenPromiseException(string message) : Exception(message);
