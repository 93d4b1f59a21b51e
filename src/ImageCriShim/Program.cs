using ImageCriShim;

return CommandLine.Run(args);
