using FsCheck;
using FsCheck.Fluent;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Rewriting;

/// <summary>Registries that are asked at once and answer in any order, against asking one after the other.</summary>
public sealed class ProbeRoundTests
{
    private static readonly TimeSpan s_patience = RawConnection.Patience; // to fail, not to hang
    private static readonly ProbeResult s_found = new ProbeResult.Found(null, FakeRegistry.OciManifest);

    private static readonly ProbeResult[] s_no =
        [new ProbeResult.Missing(), new ProbeResult.Denied("HTTP 403"), new ProbeResult.Throttled(null), new ProbeResult.Unreachable("HTTP 503")];

    [Fact]
    public void In_whatever_order_they_answer_the_decision_is_that_of_asking_one_after_the_other()
    {
        var answer = Gen.OneOf(Gen.Constant(s_found), Gen.Elements(s_no));
        var rounds = from answers in answer.ListOf()
                     from order in Gen.Shuffle(Enumerable.Range(0, answers.Count).ToArray())
                     select (Answers: answers.ToArray(), Order: order.ToArray());
        Check.QuickThrowOnFailure(Prop.ForAll(rounds.ToArbitrary(), round => Follow(round.Answers, round.Order).GetAwaiter().GetResult()));
    }

    [Fact]
    public async Task What_is_not_needed_is_ended_a_moment_after_the_decision_and_what_arrives_by_then_is_kept()
    {
        var it = new Registries(3);
        var running = it.Run();
        it.Answer(0, s_found);
        var round = await running.WaitAsync(s_patience, TestContext.Current.CancellationToken);

        it.Time.Advance(ProbeRound.Grace - TimeSpan.FromMilliseconds(1));
        it.IsEnded.ShouldBe([false, false, false]);
        it.Answer(1, s_no[0]);
        it.Time.Advance(TimeSpan.FromMilliseconds(1));
        await Wait.Until(() => it.IsEnded[2]);

        round.FindResult(1).ShouldBe(s_no[0]);
        round.FindResult(2).ShouldBeNull();
    }

    [Fact]
    public async Task Where_nobody_wants_the_decision_any_more_every_question_is_ended_at_once()
    {
        var it = new Registries(3);
        using var abandoned = new CancellationTokenSource();
        var running = it.Run(abandoned: abandoned.Token);

        abandoned.Cancel();

        it.IsEnded.ShouldBe([true, true, true]);
        await Should.ThrowAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task A_question_that_was_ended_is_put_again_when_its_answer_is_needed()
    {
        var it = new Registries(2);
        var running = it.Run();
        it.Answer(0, s_found);
        var earlier = await running;
        it.Time.Advance(ProbeRound.Grace);
        await Wait.Until(() => it.IsEnded[1]);

        var next = new Registries(2);
        var again = next.Run(earlier, isValid: (_, _) => false);
        next.Answer(0, s_no[0]);
        next.Answer(1, s_found);

        (await again).FindResult(1).ShouldBe(s_found);
    }

    [Fact]
    public async Task What_goes_wrong_where_it_matters_ends_the_round_and_all_its_questions()
    {
        var it = new Registries(3);
        var running = it.Run();

        it.Fail(0);

        await Should.ThrowAsync<InvalidOperationException>(() => running);
        it.Time.Advance(ProbeRound.Grace);
        await Wait.Until(() => it.IsEnded is [_, true, true]);
    }

    private static async Task Follow(ProbeResult[] answers, int[] order)
    {
        var it = new Registries(answers.Length);
        var running = it.Run();
        var arrived = new bool[answers.Length];
        foreach (var i in order)
        {
            if (IsDecided(answers, arrived))
                break;
            running.IsCompleted.ShouldBeFalse("a higher one has not answered");
            it.Answer(i, answers[i]);
            arrived[i] = true;
        }
        var round = await running.WaitAsync(s_patience);

        var first = Array.IndexOf(answers, s_found);
        round.IsFound.ShouldBe(first >= 0);
        for (var i = 0; i < answers.Length; i++)
            round.FindResult(i).ShouldBe(arrived[i] ? answers[i] : null);
        arrived.Take(first < 0 ? answers.Length : first + 1).ShouldAllBe(answered => answered, "all that decide were waited for");
    }

    /// <summary>The model: asked one after the other, from the top, until one has it.</summary>
    private static bool IsDecided(ProbeResult[] answers, bool[] arrived)
    {
        for (var i = 0; i < answers.Length; i++)
        {
            if (!arrived[i])
                return false;
            if (answers[i] == s_found)
                return true;
        }
        return true;
    }

    /// <summary>Registries that answer when told to.</summary>
    private sealed class Registries(int count)
    {
        private readonly TaskCompletionSource<ProbeRound.Answer>[] asked = [.. Enumerable.Range(0, count).Select(_ => new TaskCompletionSource<ProbeRound.Answer>())];

        public FakeTime Time { get; } = new();

        public bool[] IsEnded => [.. asked.Select(question => question.Task.IsCanceled)];

        public Task<ProbeRound> Run(ProbeRound? earlier = null, Func<int, ProbeRound.Answer, bool>? isValid = null, CancellationToken? abandoned = null) =>
            ProbeRound.Run(count, Ask, earlier, isValid ?? ((_, _) => true), Time, abandoned ?? TestContext.Current.CancellationToken);

        public void Answer(int index, ProbeResult result) => asked[index].SetResult(new ProbeRound.Answer(result, Time.GetTimestamp()));

        public void Fail(int index) => asked[index].SetException(new InvalidOperationException());

        private Task<ProbeRound.Answer> Ask(int index, CancellationToken ended)
        {
            ended.Register(() => asked[index].TrySetCanceled(ended));
            return asked[index].Task;
        }
    }
}
