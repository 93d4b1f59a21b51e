using ImageCriShim.Benchmarks;

// The bench is one program and two of the processes that it measures: see Splice and AnsweringRuntime.
return args switch
{
    ["splice", var from, var to] => Splice.Run(from, to),
    ["runtime", var socket] => AnsweringRuntime.Run(socket),
    _ => await Bench.Run(args),
};
