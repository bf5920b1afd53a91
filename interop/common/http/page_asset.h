// A file that a program serves, embedded in it by sluice_embed_page().
#pragma once

#include <string_view>

namespace sluice::interop {

struct PageAsset {
  std::string_view path;  // "/call.js"; a page has no suffix: "/watch", and "/" for index.html
  std::string_view type;  // media type
  std::string_view body;
};

}  // namespace sluice::interop
