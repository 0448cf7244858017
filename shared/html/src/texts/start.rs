//! Sentences of the form that starts a run.

texts! {
    /// A text of the form.
    Start {
        NewRun: "New run",
        Intro: "A run asks several models for transcripts of one dataset, and compares what they say with what was said.",
        Problems: "Please look at these again",
        Name: "Run name",
        NameHint: "To know it by later; at most 255 characters.",
        Dataset: "Dataset",
        ChooseDataset: "Choose a dataset",
        NoDatasets: "There are no datasets yet. A run needs one: make it first.",
        ToDatasets: "Datasets",
        NotAllDatasets: "Only the newest are listed. To take another, follow “New run” in the list of datasets.",
        Models: "Models",
        ModelsHint: "At most 16. Each is asked for every clip of the dataset.",
        OwnModels: "Your own models",
        NoKey: "There is no key for this vendor yet.",
        AddKey: "Add a key",
        AskAdmin: "An administrator of the project can add one.",
        AnHour: "an hour of audio",
        MaxCost: "At most (US$)",
        MaxCostHint: "Optional. By estimates: clips are sent in their order, until the next one would cost more than this.",
        Estimate: "Estimate",
        Submit: "Start run",
        WhatItTakes: "What it would take",
        Model: "Model",
        Clips: "Clips",
        Hours: "Audio",
        Cost: "US$",
        Usual: "Usual time",
        Together: "Together",
        NotKnown: "not known yet",
        EstimateLegend: "By the prices of today, each clip priced by itself. Prompts and reasoning are not in it. The usual time is that of your recent runs with the model, whatever their size.",
        AboveMax: "This is more than the most that you allow: the run would end early, and the clips behind would have no transcript.",
        NotStarted: "Nothing is started yet, and nothing was spent.",
    }
}
