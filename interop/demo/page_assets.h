// The files of interop/demo/page, embedded in the program.
#pragma once

#include <span>
#include <string_view>

namespace sluice::interop::demo {

struct PageAsset {
  std::string_view path;  // "/call.js"
  std::string_view type;  // media type
  std::string_view body;
};

// embed_page.cmake generates the definition. The result has static lifetime.
std::span<const PageAsset> page_assets();

}  // namespace sluice::interop::demo
