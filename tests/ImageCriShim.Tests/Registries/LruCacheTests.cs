using FsCheck.Fluent;
using ImageCriShim.Registries;

namespace ImageCriShim.Tests.Registries;

public sealed class LruCacheTests
{
    [Fact]
    public void It_behaves_like_a_list_ordered_by_use()
    {
        var uses = Gen.Choose(0, 9).ListOf();
        FsCheck.Check.QuickThrowOnFailure(Prop.ForAll(uses.ToArbitrary(), keys =>
        {
            var cache = new LruCache<int, int>(3);
            var model = new List<int>();
            foreach (var key in keys)
            {
                cache.TryGet(key, out var value).ShouldBe(model.Contains(key));
                if (model.Remove(key))
                    value.ShouldBe(key * 10);
                else
                    cache.Set(key, key * 10);
                model.Insert(0, key);
                model = model.Take(3).ToList();
                cache.Count.ShouldBe(model.Count);
            }
        }));
    }

    [Fact]
    public void Without_room_it_keeps_nothing()
    {
        var cache = new LruCache<string, string>(0);
        cache.Set("a", "b");
        cache.TryGet("a", out _).ShouldBeFalse();
    }
}
