namespace ImageCriShim.Tests.Inspection;

/// <summary>A node, and the text of what is wrong with it.</summary>
public abstract class NodeTest : IAsyncDisposable
{
    protected const string NothingToMend = "\nnothing to mend\n";

    private protected PreparedNode Node { get; set; } = new();

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>That is said, and when it is followed to the letter there is nothing more to say.</summary>
    protected async Task ShouldSayAndBeMended(string complaints)
    {
        (await Node.Complaints()).ShouldBe(complaints);
        await Node.Mend();
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }
}
