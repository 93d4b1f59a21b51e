using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>One operation; what the numbers mean depends on the kind and the state.</summary>
internal sealed record LedgerStep(int Kind, int A, int B);

/// <summary>
/// A receiver that knows its true windows and complains of every octet beyond them, a sender with nothing but what it was told, and
/// the shim between them: everything that the ledger must get right, seen from outside.
/// </summary>
internal sealed class LedgerModel : IDisposable
{
    internal const int Kinds = 16;

    private const int Streams = 6;
    private const int InitialWindow = 65_535;
    private const int MostOwed = 4096 + 256; // FlowLedger's, and the padding of one frame
    private const int Enough = InitialWindow / 2; // room; a sender that has it may be owed more

    private readonly LedgerOutput _output = new();
    private readonly List<LedgerStream> _open = [];
    private int _nextStream = 1;
    private int _initial = InitialWindow;

    private long _total = InitialWindow; // of the receiver's connection window, when it is open as far as it goes
    private long _window = InitialWindow; // of the receiver
    private long _heldBack; // read by the receiver and not yet credited
    private long _view = InitialWindow; // of the sender

    internal void Run(IEnumerable<LedgerStep> steps)
    {
        foreach (var step in steps)
        {
            Do(step);
            Receive();
            Check();
        }

        Settle();
    }

    public void Dispose() => _output.Dispose();

    private void Do(LedgerStep step)
    {
        if (step.Kind <= 2 && _open.Count < Streams)
            Open(owned: step.Kind != 0);
        else if (_open.Count > 0)
            Do(step, _open[step.A % _open.Count]);
    }

    private void Do(LedgerStep step, LedgerStream stream)
    {
        switch (step.Kind)
        {
            case 3 or 4 or 5 when !stream.IsOwned:
                Forward(stream, step.B, frames: step.Kind == 3 ? 1 : 4);
                break;
            case 3 or 4 when stream is { IsOwned: true, IsEnded: false }:
                OwnData(stream, step.B % 40_000, end: step.B % 11 == 0);
                break;
            case 5 when stream is { IsOwned: true, IsEnded: false }:
                OwnHeaders(stream, end: step.B % 5 == 0);
                break;
            case 6 when !stream.IsOwned:
                var last = step.B % 2 == 0 ? Frame.Headers(stream.Id, [(byte)step.B], end: true) : Frame.Data(stream.Id, [], end: true);
                stream.Expect(last);
                _output.Forward(last);
                _open.Remove(stream);
                break;
            case 7 when step.B % 4 == 0: // the sender or the receiver resets it
                Reset(stream, bySender: step.B % 8 == 0);
                break;
            case 8 or 9 when stream.IsOwned: // of the sender's message, in whose place ours goes
                Take(step.B % 20_000);
                break;
            case 10 when stream is { IsOwned: true, HasSent: false }:
                _output.Ledger.Drop(stream.Id); // forwarded after all
                stream.IsOwned = false;
                break;
            case 11 when step.B % 3 == 0:
                SetInitialWindow(step.B % 70_000);
                break;
            case 12 when _total < 100_000:
                CreditConnection(step.B % 5000, more: true);
                break;
            case 13:
                CreditStream(stream, stream.HeldBack);
                break;
            default: // as late as a receiver may, or earlier
                if (_heldBack >= _total / 2 || step.B % 3 == 0)
                    CreditConnection(_heldBack);
                break;
        }
    }

    private void Open(bool owned)
    {
        var stream = new LedgerStream(_nextStream) { IsOwned = owned, Window = _initial, View = _initial };
        _nextStream += 2;
        _open.Add(stream);
        if (owned)
            _output.Ledger.Own(stream.Id);
    }

    // As much as the sender may, padded or not, empty or not, one by one or together.
    private void Forward(LedgerStream stream, int size, int frames)
    {
        var run = new List<Frame>();
        for (var i = 0; i < frames; i++)
        {
            int? padding = size % 3 == 0 ? size % 200 : null;
            var room = (int)Math.Clamp(Math.Min(_view, stream.View), 0, 16_384) - (padding + 1 ?? 0);
            if (room < 0)
                break;
            var frame = Frame.Data(stream.Id, stream.NextOctets(Math.Min(size % 20_000, room)), padding: padding);
            stream.Expect(frame);
            stream.View -= frame.Payload.Length;
            _view -= frame.Payload.Length;
            run.Add(frame);
        }

        _output.Forward([.. run]);
        _view += _output.Ledger.TakeDue();
    }

    private void OwnData(LedgerStream stream, int octets, bool end)
    {
        var frame = Frame.Data(stream.Id, stream.NextOctets(octets), end);
        stream.Expect(frame);
        stream.IsEnded = end;
        _output.Ledger.SendData(stream.Id, frame.Payload, end);
    }

    private void OwnHeaders(LedgerStream stream, bool end)
    {
        var frame = Frame.Headers(stream.Id, [1], end);
        stream.Expect(frame);
        stream.IsEnded = end;
        _output.Ledger.SendHeaders(stream.Id, frame.Payload, end);
    }

    private void Reset(LedgerStream stream, bool bySender)
    {
        _open.Remove(stream);
        stream.IsReset = true;
        if (bySender && !stream.IsOwned)
            _output.Forward(Frame.RstStream(stream.Id, Http2Error.Cancel));
        else
            _output.Ledger.Drop(stream.Id);
    }

    private void Take(int most)
    {
        var octets = (int)Math.Clamp(_view, 0, most);
        _view -= octets;
        _output.Ledger.Take(octets);
        _view += _output.Ledger.TakeDue();
    }

    private void SetInitialWindow(int size)
    {
        foreach (var stream in _all.Values)
        {
            stream.Window += size - _initial;
            stream.View += size - _initial;
            // What the sender sent before it saw this may still come; so it is without us, until its acknowledgement.
            stream.Grace = stream.IsOwned ? 0 : stream.InFlight;
        }

        _initial = size;
        _output.Ledger.OnInitialWindowSize(size);
    }

    private void CreditConnection(long octets, bool more = false)
    {
        if (octets == 0)
            return;
        if (more)
            _total += octets;
        else
            _heldBack -= octets;
        _window += octets;
        _view += _output.Ledger.OnConnectionWindowUpdate((int)octets);
    }

    private void CreditStream(LedgerStream stream, long octets)
    {
        if (octets == 0)
            return;
        stream.HeldBack -= octets;
        stream.Window += octets;
        var isOurs = _output.Ledger.Owns(stream.Id);
        _output.Ledger.OnStreamWindowUpdate(stream.Id, (int)octets).ShouldBe(isOurs);
        if (!stream.HasSent || !stream.IsOwned)
            stream.View += octets; // shared as long as nothing of ours was sent
    }

    private readonly Dictionary<int, LedgerStream> _all = [];

    private void Receive()
    {
        foreach (var stream in _open)
            _all.TryAdd(stream.Id, stream);
        foreach (var frame in _output.Read())
        {
            var stream = _all[frame.Stream];
            stream.Receive(frame);
            if (frame.Type is not FrameType.Data)
                continue;
            var octets = frame.Payload.Length;
            _window -= octets;
            _heldBack += octets;
            _window.ShouldBeGreaterThanOrEqualTo(0, "the connection window was exceeded");
            stream.Window -= octets;
            stream.HeldBack += octets;
            stream.Grace -= octets;
            if (octets > 0 && stream.Grace < 0)
                stream.Window.ShouldBeGreaterThanOrEqualTo(0, $"the window of stream {stream.Id} was exceeded");
        }
    }

    private void Check() => _view.ShouldBeGreaterThanOrEqualTo(0, "the sender was told of less room than it has used");

    // The receiver credits as late as it may; nothing may hang, nothing be lost.
    private void Settle()
    {
        SetInitialWindow(InitialWindow);
        for (var progress = true; progress;)
        {
            progress = false;
            Receive();
            foreach (var stream in _all.Values.Where(stream => stream.HeldBack > 0 && stream.Window < InitialWindow / 2))
            {
                CreditStream(stream, stream.HeldBack);
                progress = true;
            }

            if (_heldBack >= _total / 2)
            {
                CreditConnection(_heldBack);
                progress = true;
            }
        }

        foreach (var stream in _all.Values)
            stream.CheckWhole();
        _view.ShouldBeGreaterThan(0, "the sender starves");
        CreditConnection(_heldBack);
        _window.ShouldBe(_total);
        _view.ShouldBeInRange(Math.Min(_window - MostOwed, Enough), _window, "the sender's view drifted");
        CreditConnection(MostOwed, more: true); // with which all that is owed is paid
        _view.ShouldBe(_window, "the sender's view drifted");
    }
}

/// <summary>What was sent on a stream, by whomever, and what has come of it.</summary>
internal sealed class LedgerStream(int id)
{
    private readonly List<byte> _expected = []; // data octets; other frames as marks that are compared in place
    private readonly List<(int At, Frame Frame)> _marks = [];
    private int _received;
    private int _marksSeen;
    private int _next;
    private bool _ends;
    private bool _ended;

    internal int Id { get; } = id;

    internal bool IsOwned { get; set; }

    internal bool IsEnded { get; set; }

    internal bool IsReset { get; set; }

    internal bool HasSent => _expected.Count > 0 || _marks.Count > 0 || IsEnded;

    internal long Window { get; set; }

    internal long HeldBack { get; set; }

    internal long View { get; set; }

    internal long Grace { get; set; }

    internal long InFlight => _expected.Count - _received;

    internal byte[] NextOctets(int count) => [.. Enumerable.Range(0, count).Select(_ => (byte)(_next++ * 31 >> 3))];

    internal void Expect(Frame frame)
    {
        if (frame.Type is FrameType.Data)
            _expected.AddRange(frame.Body);
        else
            _marks.Add((_expected.Count, frame));
        _ends |= frame.EndsStream;
    }

    internal void Receive(Frame frame)
    {
        _ended.ShouldBeFalse($"{frame} after the end");
        _ended = frame.EndsStream || frame.Type is FrameType.RstStream;
        if (frame.Type is FrameType.RstStream)
        {
            IsReset.ShouldBeTrue();
            return;
        }

        IsReset.ShouldBeFalse($"{frame} after the reset");
        if (frame.Type is FrameType.Data)
        {
            var body = frame.Body;
            _expected.Count.ShouldBeGreaterThanOrEqualTo(_received + body.Length);
            body.SequenceEqual([.. _expected.Skip(_received).Take(body.Length)]).ShouldBeTrue($"other octets on stream {Id}");
            _received += body.Length;
            if (_marksSeen < _marks.Count)
                _received.ShouldBeLessThanOrEqualTo(_marks[_marksSeen].At, "data overtook headers");
            return;
        }

        var (at, expected) = _marks[_marksSeen++];
        at.ShouldBe(_received, "headers overtook data");
        frame.SameAs(expected).ShouldBeTrue();
    }

    internal void CheckWhole()
    {
        if (IsReset)
            return;
        _received.ShouldBe(_expected.Count, $"octets of stream {Id} were lost or hang");
        _marksSeen.ShouldBe(_marks.Count, $"headers of stream {Id} were lost or hang");
        _ended.ShouldBe(_ends, $"the end of stream {Id}");
    }
}
