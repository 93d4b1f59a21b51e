using ImageCriShim.Configuration;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Faults;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>
/// The table of docs/RESOLVING.md: a registry that hangs, in each state that it may be in when an image is pulled, times where else the image
/// is, times both policies. The time is what the clock has to be advanced by until the pull ends.
/// </summary>
public sealed class HungRegistries : PullTest
{
    private const string AtSecond = "second.local/team/app:1.0";
    private const string AtHub = "hub.local/team/app:1.0";

    private static readonly TimeSpan s_opinion = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_moment = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_probeTimeout = new ShimSettings { Registries = [] }.ProbeTimeout;

    private RegistryLine _line = null!;
    private volatile bool _isHung;

    public HungRegistries() => Array.ForEach(["pull of ", "not pulled", "no registry can be reached"], Expect);

    /// <summary>How the registry fails.</summary>
    public enum Fault
    {
        /// <summary>It takes connections and answers nothing.</summary>
        Silent,

        /// <summary>Its packets vanish.</summary>
        Dropped,
    }

    /// <summary>What is known when the pull comes.</summary>
    public enum Known
    {
        NeverAsked,

        /// <summary>It has given the image, and nobody has noticed that it hangs.</summary>
        Remembered,

        /// <summary>The same, and another pull has noticed.</summary>
        RememberedAndSetAside,

        /// <summary>Another pull has noticed; nobody has pulled this image.</summary>
        SetAside,

        /// <summary>It has given the image, was set aside, and answers again.</summary>
        JustBack,
    }

    /// <summary>Where the image is, but at that registry.</summary>
    public enum Place
    {
        Elsewhere,
        OnTheNode,
        Nowhere,
    }

    public static TheoryData<Fault, Known, Place, bool, double> Rows
    {
        get
        {
            var rows = new TheoryData<Fault, Known, Place, bool, double>();
            foreach (var fault in Enum.GetValues<Fault>())
            {
                foreach (var state in Enum.GetValues<Known>())
                {
                    foreach (var place in Enum.GetValues<Place>())
                    {
                        rows.Add(fault, state, place, true, SecondsOf(fault, state, place));
                        rows.Add(fault, state, place, false, place is Place.OnTheNode ? 0 : SecondsOf(fault, state, place));
                    }
                }
            }

            return rows;
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task Costs_a_pull_one_probeTimeout_and_the_next_none(Fault fault, Known state, Place place, bool isAlways, double seconds)
    {
        await Set(place);
        await Reach(state, fault, place);
        var (begin, at) = (Time.GetTimestamp(), Pulls.Length);

        var pull = PullBy(isAlways);
        if (seconds > 0)
            await PassUntilKnown(fault, state, place);
        await Wait.For(pull);

        Time.GetElapsedTime(begin).ShouldBe(TimeSpan.FromSeconds(seconds));
        ShouldHaveEnded(await pull, state, place, isAlways, at);
        if (state is Known.RememberedAndSetAside or Known.SetAside && place is not Place.Elsewhere)
            return; // each costs a last chance
        if (place is not Place.OnTheNode)
            Runtime.Images.Clear();
        at = Pulls.Length;
        var next = PullBy(isAlways);
        await Wait.For(next);
        Time.GetElapsedTime(begin).ShouldBe(TimeSpan.FromSeconds(seconds));
        ShouldHaveEnded(await next, state, place, isAlways, at);
    }

    [Theory]
    [InlineData("it was never asked", Known.NeverAsked, Place.Elsewhere)]
    [InlineData("it has given the image, and nobody has noticed yet", Known.Remembered, Place.Elsewhere)]
    [InlineData("it is set aside, and another registry has the image", Known.SetAside, Place.Elsewhere)]
    [InlineData("it is set aside, and no other registry has the image", Known.SetAside, Place.Nowhere)]
    [InlineData("it was set aside and is back", Known.JustBack, Place.Elsewhere)]
    public void The_docs_have_the_same_figures(string row, Known known, Place place) =>
        File.ReadAllText(Path.Combine(Repository.Root, "docs/RESOLVING.md"))
            .ShouldContain($"| {row} | {SecondsOf(Fault.Silent, known, place)} s | {SecondsOf(Fault.Dropped, known, place)} s |");

    /// <summary>The figures of the table.</summary>
    private static double SecondsOf(Fault fault, Known state, Place place) => (state, fault, place) switch
    {
        (Known.NeverAsked, Fault.Silent, _) => 5, // probeTimeout
        (Known.NeverAsked, Fault.Dropped, _) => 2, // the time to connect
        (Known.Remembered, _, _) => 5.25, // a moment and probeTimeout: the question goes over a connection that stands
        (Known.JustBack, _, _) or (_, _, Place.Elsewhere) => 0,
        (_, Fault.Silent, _) => 1, // the last chance
        (_, Fault.Dropped, _) => 0.25, // the same, without a connection
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    private async Task Set(Place place)
    {
        Prepare();
        _line = AtEnd(RegistryLine.To(First.Port));
        Name(_line.Host, "hub.local");
        foreach (var repository in new[] { "team/app", "team/other" })
        {
            First.Add(repository, "1.0");
            Second.Add(repository, "1.0");
            CanPull($"{_line.Host}/{repository}:1.0", $"{Second.Host}/{repository}:1.0");
        }

        Runtime.Images.BeforePull = (image, given) =>
            _isHung && image.StartsWith(_line.Host, StringComparison.Ordinal) ? Task.Delay(Timeout.Infinite, given) : Task.CompletedTask;
        await Start(place is Place.Elsewhere ? [At(_line.Address), At(Second.Address)] : [At(_line.Address)]);
    }

    private async Task Reach(Known state, Fault fault, Place place)
    {
        if (state is Known.Remembered or Known.RememberedAndSetAside or Known.JustBack)
        {
            await PullRef(Image());
            await AnswerOfSecond("team/app", place);
            Time.Advance(TimeSpan.FromSeconds(1)); // nothing is under way any more
        }
        else if (place is Place.OnTheNode)
            PutOnNode(Image(_line.Host));
        if (place is not Place.OnTheNode)
            Runtime.Images.Clear();
        await Hang(fault);
        if (state is Known.NeverAsked or Known.Remembered)
            return;
        await Notice(fault, place);
        if (state is Known.JustBack)
            await Return();
        else
            await StayAside(fault);
    }

    private void PutOnNode(string actual) =>
        Record.Add(new RecordedPull(Image(), actual, "hub", Runtime.Images.Add(actual).Id, Time.GetUtcNow(), PulledWith.Nothing));

    private async Task Hang(Fault fault)
    {
        _isHung = true;
        _line.Fault = fault is Fault.Silent ? LineFault.HungAfter(0) : LineFault.Dropped;
        await Wait.Until(() => fault is Fault.Silent || _line.Attempts == OwnAttempts, "its queue is full");
    }

    /// <summary>Another pull sets the registry aside.</summary>
    private async Task Notice(Fault fault, Place place)
    {
        // Over the connection that stands, if there is one, or over a new one, which cannot be made.
        var isNew = First.Requests.Count == 0;
        var pull = Pull($"{OriginDown}/team/other:1.0");
        if (fault is Fault.Dropped && isNew)
            await PassNoConnection("team/other", place);
        else
            await PassSilence("team/other", fault, place);
        await Wait.For(pull);
        await Wait.Until(() => Outages.All.Count == 1, "it is set aside");
    }

    /// <summary>So long that a pull may try it before it is given up; the background asks meanwhile.</summary>
    private async Task StayAside(Fault fault)
    {
        await Wait.Until(() => fault is Fault.Silent || _line.Attempts == OwnAttempts, "what was tried has ended");
        var asked = First.Requests.Count;
        Time.Advance(TimeSpan.FromSeconds(1.5));
        await Wait.Until(
            () => fault is Fault.Silent ? First.Requests.Count == asked + 1 : _line.Attempts == OwnAttempts + 1, "the background asks");
    }

    private async Task Return()
    {
        _line.Fault = LineFault.None;
        _isHung = false;
        Time.Advance(TimeSpan.FromSeconds(1));
        await Wait.Until(() => Outages.All.Count == 0, "it is back");
    }

    private async Task PassUntilKnown(Fault fault, Known state, Place place)
    {
        switch (state)
        {
            case Known.NeverAsked when fault is Fault.Dropped:
                await PassNoConnection("team/app", place);
                break;
            case Known.NeverAsked:
                await PassSilence("team/app", fault, place);
                break;
            case Known.Remembered:
                await Wait.Until(() => Time.DueIn(s_moment) == 1, "the attempt is watched");
                var before = First.CountOf("team/app");
                Time.Advance(s_moment);
                await PassSilence("team/app", fault, place, before);
                break;
            case Known.RememberedAndSetAside or Known.SetAside when fault is Fault.Dropped:
                await Wait.Until(() => Time.DueIn(s_moment) > 0, "it is connected to");
                Time.Advance(s_moment);
                break;
            default:
                await Wait.Until(() => Time.DueIn(TimeSpan.FromSeconds(1)) > 0, "it is tried");
                Time.Advance(TimeSpan.FromSeconds(1));
                break;
        }
    }

    private async Task PassNoConnection(string repository, Place place)
    {
        await Wait.Until(() => _line.Attempts == OwnAttempts + 1, "it is connected to");
        await AnswerOfSecond(repository, place);
        Time.Advance(TimeSpan.FromSeconds(2));
    }

    /// <summary>A question that goes over a connection is not answered, and neither is the one that doubts it.</summary>
    private async Task PassSilence(string repository, Fault fault, Place place, int before = 0)
    {
        await AnswerOfSecond(repository, place);
        await Wait.Until(() => Time.DueIn(s_probeTimeout) == 1 && Time.DueIn(s_probeTimeout - s_opinion) == 1, "it is asked");
        await Wait.Until(() => First.CountOf(repository) == before + 1, "the question is there");
        var asked = First.Requests.Count;
        Time.Advance(s_probeTimeout - s_opinion);
        await Wait.Until(
            () => First.Requests.Count == asked + 1 || (fault is Fault.Dropped && _line.Attempts == OwnAttempts + 1), "it is doubted");
        Time.Advance(s_opinion);
    }

    /// <summary>Whatever the other registry is asked for at the same time, it has answered.</summary>
    private Task AnswerOfSecond(string repository, Place place) => Wait.Until(
        () => place is not Place.Elsewhere
            || (Second.CountOf(repository) > 0 && Metrics.Probes.Value(Second.Address, "found") == Second.Requests.Count),
        "the other one has answered");

    /// <summary>What kubelet does.</summary>
    private async Task<RawAnswer?> PullBy(bool isAlways) => !isAlways && (await FindId(Image())).Length > 0 ? null : await Pull(Image());

    private void ShouldHaveEnded(RawAnswer? answer, Known state, Place place, bool isAlways, int before)
    {
        var pulls = Pulls[before..];
        var last = pulls.LastOrDefault();
        if (place is Place.OnTheNode && !isAlways)
        {
            (answer, last).ShouldBe((null, null));
            return;
        }

        answer.ShouldNotBeNull();
        if (place is Place.Nowhere && state is not Known.JustBack)
        {
            answer.Status.ShouldBe(2);
            answer.Message.ShouldStartWith("RegistryUnavailable: ");
            last.ShouldBe("origin.local/team/app:1.0");
            return;
        }

        answer.Status.ShouldBe(0, answer.Message);
        if (state is Known.JustBack)
            last.ShouldBe(AtHub);
        else if (place is Place.Elsewhere)
            last.ShouldBe(AtSecond);
        else
            FindText(answer.Single, 1).ShouldBe(Runtime.Images.All.Single().Id); // and what was begun, if anything, was given up
    }

    /// <summary>Of the line itself, which fill its queue.</summary>
    private const int OwnAttempts = 2;
}
