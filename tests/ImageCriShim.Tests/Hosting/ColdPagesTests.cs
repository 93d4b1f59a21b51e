using ImageCriShim.Hosting;

namespace ImageCriShim.Tests.Hosting;

public sealed class ColdPagesTests
{
    [Fact]
    public void Only_code_that_is_as_it_stands_in_a_file_is_given_back()
    {
        const string smaps = """
            00400000-00411000 r--p 00000000 fd:00 1234                               /usr/bin/image-cri-shim
            Rss:                  68 kB
            Private_Dirty:         0 kB
            Swap:                  0 kB
            THPeligible:           0
            VmFlags: rd mr mw me sd
            00411000-00800000 r-xp 00011000 fd:00 1234                               /usr/bin/image-cri-shim
            Private_Dirty:         0 kB
            Swap:                  0 kB
            00800000-00900000 r-xp 00400000 fd:00 1234                               /usr/bin/relocated
            Private_Dirty:       128 kB
            Swap:                  0 kB
            00900000-00a00000 r-xp 00500000 fd:00 1234                               /usr/bin/relocated and swapped out
            Private_Dirty:         0 kB
            Swap:                 64 kB
            00a00000-00b00000 rwxp 00600000 fd:00 1234                               /usr/bin/data
            Private_Dirty:         0 kB
            Swap:                  0 kB
            00b00000-00c00000 r-xp 00000000 00:00 0                                  [vdso]
            Private_Dirty:         0 kB
            00c00000-00d00000 r--p 00000000 00:00 0
            Private_Dirty:         0 kB
            00d00000-00e00000 r-xs 00000000 00:01 77                                 /memfd:doublemapper (deleted)
            Private_Dirty:         0 kB
            ffffffffff600000-ffffffffff601000 r-xs 00000000 fd:00 99                 /usr/lib/last one
            Private_Dirty:         0 kB
            """;
        ColdPages.Find(smaps.Split('\n')).Select(mapping => (mapping.Begin, mapping.End)).ShouldBe(
            [(0x411000ul, 0x800000ul), (0xffffffffff600000ul, 0xffffffffff601000ul)]);
    }

    [Fact]
    public void A_process_goes_on_without_its_cold_pages()
    {
        for (var i = 0; i < 100; i++)
            ColdPages.GiveBack();
        string.Join(' ', Enumerable.Range(0, 1000)).Length.ShouldBe(3889);
    }
}
