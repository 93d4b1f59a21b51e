using ImageCriShim.Hosting;

namespace ImageCriShim.Tests.Hosting;

public sealed class ColdPagesTests
{
    [Fact]
    public void Only_code_and_the_program_file_are_given_back_and_only_as_far_as_they_stand_in_a_file()
    {
        const string smaps = """
            00400000-00411000 r--p 00000000 fd:00 1234                               /usr/bin/image-cri-shim
            Rss:                  68 kB
            Anonymous:             0 kB
            Swap:                  0 kB
            THPeligible:           0
            VmFlags: rd mr mw me sd
            00411000-00800000 r-xp 00011000 fd:00 1234                               /usr/bin/image-cri-shim
            Anonymous:             0 kB
            Swap:                  0 kB
            00800000-00900000 r-xp 00400000 fd:00 1234                               /usr/bin/relocated
            Anonymous:           128 kB
            Swap:                  0 kB
            00900000-00a00000 r-xp 00500000 fd:00 1234                               /usr/bin/relocated and swapped out
            Anonymous:             0 kB
            Swap:                 64 kB
            00a00000-00b00000 rwxp 00600000 fd:00 1234                               /usr/bin/data
            Anonymous:             0 kB
            Swap:                  0 kB
            00b00000-00c00000 r-xp 00000000 00:00 0                                  [vdso]
            Anonymous:             0 kB
            00c00000-00d00000 r--p 00000000 00:00 0
            Anonymous:             0 kB
            00c10000-00c20000 r--p 00000000 fd:00 55                                 /etc/ld.so.cache
            Anonymous:             0 kB
            00c20000-00c30000 r--s 00000000 fd:00 1234                               /usr/bin/image-cri-shim
            Anonymous:             0 kB
            00d00000-00e00000 r-xs 00000000 00:01 77                                 /memfd:doublemapper (deleted)
            Anonymous:             0 kB
            ffffffffff600000-ffffffffff601000 r-xp 00000000 fd:00 99                 /usr/lib/last one
            Anonymous:             0 kB
            """;
        ColdPages.Find(smaps.Split('\n'), "/usr/bin/image-cri-shim").Select(mapping => (mapping.Begin, mapping.End)).ShouldBe(
            [(0x400000ul, 0x411000ul), (0x411000ul, 0x800000ul), (0xffffffffff600000ul, 0xffffffffff601000ul)]);
    }

    [Fact]
    public void A_process_goes_on_without_its_cold_pages()
    {
        for (var i = 0; i < 100; i++)
            ColdPages.GiveBack();
        string.Join(' ', Enumerable.Range(0, 1000)).Length.ShouldBe(3889);
    }
}
