using ImageCriShim.Hosting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Hosting;

/// <summary>Whether systemd closes the socket together with the service, as <c>systemctl show</c> of systemd 252 tells it.</summary>
public sealed class AskingForTheSocketUnit : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("LoadState=loaded\nActiveState=active\nJob=", false)]
    [InlineData("LoadState=loaded\nActiveState=active\nJob=1733", true)]
    [InlineData("LoadState=loaded\nActiveState=inactive\nJob=1733", true)]
    [InlineData("LoadState=loaded\nActiveState=inactive\nJob=", true)]
    [InlineData("LoadState=not-found\nActiveState=inactive\nJob=", false)]
    [InlineData("", false)]
    public async Task It_closes_if_it_is_not_active_or_has_a_job(string shown, bool isClosing) =>
        (await SocketUnit.IsClosing(Systemctl($"printf '{shown}'"))).ShouldBe(isClosing);

    [Fact]
    public async Task It_is_asked_again_where_the_stop_of_the_service_has_ended_the_question()
    {
        var asked = _directory.File("asked");
        const string answer = "printf 'LoadState=loaded\\nActiveState=active\\nJob=7'";
        var systemctl = Systemctl($"echo once >> '{asked}'; [ $(wc -l < '{asked}') -gt 2 ] || kill $$\n{answer}");
        (await SocketUnit.IsClosing(systemctl)).ShouldBeTrue();
    }

    [Fact]
    public async Task It_does_not_close_where_there_is_no_systemd() =>
        (await SocketUnit.IsClosing(_directory.File("no such program"))).ShouldBeFalse();

    private string Systemctl(string body)
    {
        var path = _directory.File("systemctl");
        Script.Write(path, body);
        return path;
    }
}
