// What WHIP's and WHEP's resources have in common: pages of other origins, and other methods.
#pragma once

#include <httplib.h>

#include <string>

namespace sluice::interop::sfu {

// Pages of other origins may use them (RFC 9725 section 4.2).
void allow_other_origins(httplib::Response& response);

struct ResourceMethods {
  const char* pattern;       // of the path
  const char* allowed;       // for Allow: "GET, HEAD, OPTIONS, POST"
  const char* cross_origin;  // of them those that a page of another origin may use
  // What it takes: Accept-Post or Accept-Patch, and the media type.
  const char* accept;
  const char* type;
};

// Answers OPTIONS, and those of PUT, PATCH, POST and DELETE that are not allowed, which get 405.
void add_other_methods(httplib::Server& routes, const ResourceMethods& methods);
// RFC 9725 section 4.1: the resources have no representation.
void answer_empty(const httplib::Request& request, httplib::Response& response);

// A handler whose answers pages of other origins may read.
template <class Handle>
httplib::Server::Handler for_all_origins(Handle handle) {
  return [handle](const httplib::Request& request, httplib::Response& response) {
    allow_other_origins(response);
    handle(request, response);
  };
}

}  // namespace sluice::interop::sfu
