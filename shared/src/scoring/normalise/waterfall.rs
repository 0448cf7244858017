pub struct Waterfall; pub struct WaterfallRow;
