using System.Diagnostics;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>
/// Mutates inputs and looks what becomes of them. One that behaves as none did before is kept and mutated further, so that what lies behind
/// several steps is reached as well.
/// </summary>
/// <param name="take">Takes an input and tells in a few words how it behaved; throws where a promise is broken.</param>
/// <param name="mutate">Makes another input of two.</param>
/// <param name="corpus">What to begin with.</param>
internal sealed class Fuzzer(Func<byte[], string> take, Func<Mutator, byte[], byte[], byte[]> mutate, IReadOnlyList<byte[]> corpus,
    IReadOnlyList<byte[]> words, int seed)
{
    private const int MaxLive = 4096;
    private const int MaxBehaviours = 200_000; // some MiB
    private const int MaxKept = 8192; // octets; a longer one would make all that come from it slow
    private const int MaxTriesToShorten = 3000;

    private readonly Mutator _mutator = new(new Random(seed), words);
    private readonly List<byte[]> _live = [];
    private readonly HashSet<string> _behaviours = [];
    private volatile byte[] _current = [];

    /// <summary>Inputs taken so far.</summary>
    internal long Taken { get; private set; }

    /// <summary>Different behaviours so far.</summary>
    internal int Behaviours => _behaviours.Count;

    /// <summary>What is being taken at the moment, and was in vain if it never ends.</summary>
    internal byte[] Current => _current;

    /// <summary>Called before each input, for those that end the process.</summary>
    internal Action<byte[]> Begins { get; init; } = _ => { };

    /// <exception cref="FuzzFinding">A promise is broken.</exception>
    internal void Run(TimeSpan time)
    {
        var clock = Stopwatch.StartNew();
        foreach (var input in corpus)
            Take(input);
        if (_live.Count == 0)
            _live.Add([]);
        while (clock.Elapsed < time)
            Take(mutate(_mutator, Any(), Any()));
    }

    // Half of the time what was found last.
    private byte[] Any()
    {
        var random = _mutator.Random;
        var newest = Math.Min(_live.Count, 32);
        return _live[random.Next(2) == 0 ? _live.Count - 1 - random.Next(newest) : random.Next(_live.Count)];
    }

    private void Take(byte[] input)
    {
        _current = input;
        Begins(input);
        Taken++;
        try
        {
            var behaviour = take(input);
            if (_behaviours.Count < MaxBehaviours && _behaviours.Add(behaviour) && input.Length <= MaxKept)
                Keep(input);
        }
        catch (Exception e)
        {
            var (shortest, broken) = Shorten(input, e);
            throw new FuzzFinding(shortest, seed, Taken, broken);
        }
    }

    private void Keep(byte[] input)
    {
        if (_live.Count < MaxLive)
            _live.Add(input);
        else
            _live[_mutator.Random.Next(_live.Count)] = input;
    }

    /// <summary>Leaves out what is not needed for the same exception.</summary>
    private (byte[] Input, Exception Broken) Shorten(byte[] input, Exception broken)
    {
        var tries = 0;
        for (var size = input.Length / 2; size > 0; size /= 2)
        {
            for (var at = 0; at + size <= input.Length && tries < MaxTriesToShorten; tries++)
            {
                byte[] shorter = [.. input[..at], .. input[(at + size)..]];
                if (TryBreak(shorter) is { } again && again.GetType() == broken.GetType())
                    (input, broken) = (shorter, again);
                else
                    at += size;
            }
        }

        return (input, broken);
    }

    private Exception? TryBreak(byte[] input)
    {
        _current = input;
        try
        {
            take(input);
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}

/// <summary>An input that breaks a promise, and how to break it again.</summary>
internal sealed class FuzzFinding(byte[] input, int seed, long number, Exception broken)
    : Exception($"seed {seed}, input {number}, shortened to {input.Length} octets: {CorpusFile.Print(input)}\n{broken}", broken)
{
    internal byte[] Input => input;
}
