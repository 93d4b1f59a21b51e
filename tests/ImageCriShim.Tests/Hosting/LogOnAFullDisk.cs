using ImageCriShim.Hosting;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Tests.Hosting;

public sealed class LogOnAFullDisk
{
    [Fact]
    public void Ends_nobody()
    {
        using var full = new StreamWriter(new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0)) { AutoFlush = true };
        using var log = new StderrLogger(LogFormat.Text, LogLevel.Information, TimeProvider.System, full, underJournald: false);
        for (var i = 0; i < 10; i++)
            log.Log(LogLevel.Error, default, "something is wrong", null, (text, _) => text);
        log.Flush();
    }
}
