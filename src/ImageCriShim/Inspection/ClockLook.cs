using ImageCriShim.Registries;

namespace ImageCriShim.Inspection;

/// <summary>Is this node's clock right? Registries say what time it is with each answer; tokens and certificates live by it.</summary>
internal static class ClockLook
{
    private const string What = "clock";

    private static readonly TimeSpan s_tolerance = TimeSpan.FromMinutes(5); // as Kerberos has it; token servers allow one or two

    /// <param name="seen">All registries.</param>
    /// <param name="now">When they were seen, by this node's clock.</param>
    public static IEnumerable<Finding> Look(IReadOnlyList<RegistrySeen> seen, DateTimeOffset now)
    {
        var told = seen.Where(one => one.Date is not null).Select(one => (one.Registry, Ahead: now - one.Date!.Value)).ToList();
        if (told.Count == 0)
            return []; // nobody said what time it is
        var apart = told.Where(one => one.Ahead.Duration() > s_tolerance).ToList();
        if (apart.Count == 0)
            return [Finding.Ok(What, "is that of the registries")];
        return apart.Count == told.Count
            ? [Finding.Problem(What, $"this node's clock is {Describe(apart[0].Ahead)} that of {string.Join(", ", apart.Select(one => one.Registry.Host))}", Remedy.Run("timedatectl set-ntp true"), Remedy.Run("chronyc makestep"))]
            : apart.Select(one => Finding.Problem(What, $"the clock of {one.Registry.Host} is {Describe(-one.Ahead)} this node's and that of the other registries", Remedy.Do($"have whoever runs {one.Registry.Host} set its clock")));
    }

    private static string Describe(TimeSpan ahead)
    {
        var apart = TimeSpan.FromMinutes(Math.Round(ahead.Duration().TotalMinutes));
        return $"{GoDuration.Format(apart)} {(ahead > TimeSpan.Zero ? "ahead of" : "behind")}";
    }
}
