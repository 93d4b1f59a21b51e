Console.WriteLine("image-cri-shim");
